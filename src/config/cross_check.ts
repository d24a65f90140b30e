/** What no single option can tell: whether pipelines and components fit together. */
import { formatAddress } from '../kit/options.ts';
import { type ComponentMaps, destinationsOf } from './agent_config.ts';
import { type Claimed, conflictingClaims, describeClaim } from './claims.ts';
import { entriesOf, memberOf, valueAt } from './data.ts';
import type { Finding } from './explain.ts';
import { type FileConfig, parseComponentId } from './file_schema.ts';
import { deadLetterDirectory, spoolDirectory } from './state_paths.ts';
import { nearest } from './nearest.ts';
import { formatPath, type Path } from './problem.ts';
import { type Section, SECTIONS } from './registry.ts';

/** Every id that is written in a section, also where its options are wrong. */
export type DefinedIds = Readonly<Record<Section, readonly string[]>>;

/** A component's id as a pipeline names it. */
interface Reference {
  readonly pipeline: string;
  readonly section: Section;
  readonly id: string;
  readonly path: Path;
}

type Report = (finding: Finding) => void;

/** The file as far as it could be read; what is wrong with one part keeps no other from being checked. */
export interface Readable {
  /** All of it, as it was written. */
  readonly root: unknown;
  /** What is not components; undefined where something in it is wrong. */
  readonly file: FileConfig | undefined;
  readonly ids: DefinedIds;
  /** The components whose options are good. */
  readonly components: ComponentMaps;
}

export function crossCheck({ root, file, ids, components }: Readable, report: Report): void {
  const references = referencesIn(root);
  const meant = checkDefined(references, ids, report);
  checkRepeated(references, report);
  // Without readable pipelines, everything would look unused.
  if (references.length > 0) checkUnused(references, meant, ids, report);
  checkClaims(file, components, report);
  checkDestinations(references, components, report);
}

function referencesIn(root: unknown): Reference[] {
  const references: Reference[] = [];
  for (const [pipeline, lists] of entriesOf(valueAt(root, ['service', 'pipelines']))) {
    for (const section of SECTIONS) {
      const list = memberOf(lists, section);
      for (const [at, id] of (Array.isArray(list) ? list : []).entries()) {
        const path = ['service', 'pipelines', pipeline, section, at];
        if (typeof id === 'string') references.push({ pipeline, section, id, path });
      }
    }
  }
  return references;
}

/** Reports names that are not defined; returns the defined ones that they were probably meant to be. */
function checkDefined(references: readonly Reference[], ids: DefinedIds, report: Report): Set<string> {
  const meant = new Set<string>();
  for (const { section, id, path } of references) {
    if (ids[section].includes(id)) continue;
    const near = nearest(id, ids[section]);
    const elsewhere = SECTIONS.find((other) => ids[other].includes(id));
    let hint = `define it under ${section}, or remove it here`;
    if (near !== undefined) hint = `did you mean ${near}?`;
    if (elsewhere !== undefined) hint = `it is one of the ${elsewhere}: name it there`;
    if (near !== undefined) meant.add(`${section} ${near}`);
    if (elsewhere !== undefined) meant.add(`${elsewhere} ${id}`);
    report({ path, at: 'value', message: `${id} is not defined under ${section}`, hint });
  }
  return meant;
}

/** A name stands in a list once; receivers and exporters in one list only. */
function checkRepeated(references: readonly Reference[], report: Report): void {
  const first = new Map<string, Reference>();
  for (const reference of references) {
    const { section, id, path, pipeline } = reference;
    const isShared = section === 'processors';
    const key = `${section} ${id} ${isShared ? pipeline : ''}`;
    const earlier = first.get(key);
    if (earlier === undefined) {
      first.set(key, reference);
    } else if (earlier.pipeline === pipeline) {
      report({ path, at: 'value', message: `${id} is named twice`, hint: 'remove one of the two' });
    } else {
      const what = section === 'receivers' ? 'feeds' : 'is fed by';
      const hint = `define another one under ${section}, such as ${id.split('/')[0]}/${pipeline}`;
      report({ path, at: 'value', message: `${id} ${what} the pipeline ${earlier.pipeline} already`, hint });
    }
  }
}

function checkUnused(references: readonly Reference[], meant: ReadonlySet<string>, ids: DefinedIds, report: Report): void {
  const used = new Set([...meant, ...references.map(({ section, id }) => `${section} ${id}`)]);
  for (const section of SECTIONS) {
    for (const id of ids[section]) {
      // An id that is no id at all has been told, and no pipeline can name it.
      if (used.has(`${section} ${id}`) || 'message' in parseComponentId(id)) continue;
      const hint = `name it under ${section} of a pipeline, or remove it`;
      report({ path: [section, id], at: 'key', message: 'is not used by any pipeline', hint });
    }
  }
}

function checkClaims(file: FileConfig | undefined, components: ComponentMaps, report: Report): void {
  const claims: Claimed[] = [];
  for (const section of SECTIONS) {
    for (const [id, { definition, options }] of components[section]) {
      if (!('claims' in definition)) continue;
      for (const claim of definition.claims?.(options) ?? []) claims.push({ path: [section, id], claim });
    }
  }
  if (file !== undefined) {
    const path = ['service', 'telemetry', 'address'];
    claims.push({ path, claim: `address:${formatAddress(file.service.telemetry.address)}` }, ...directoryClaims(file));
  }
  for (const { first, second } of conflictingClaims(claims)) {
    const message = `${describeClaim(second.claim)} is taken by ${formatPath(first.path)}`;
    report({ path: second.path, at: 'key', message, hint: 'give each of the two its own' });
  }
}

/** Spools and dead letters each know the files in their directory by name, and remove some. */
function directoryClaims({ service }: FileConfig): Claimed[] {
  const claims: Claimed[] = [{ path: ['service', 'state_directory'], claim: `path:${service.state_directory}` }];
  for (const [name, { spool, dead_letters }] of Object.entries(service.pipelines)) {
    const path = ['service', 'pipelines', name];
    if (spool.disk.enabled) {
      const directory = spoolDirectory(service.state_directory, name, spool.disk.directory);
      claims.push({ path: [...path, 'spool', 'disk', 'directory'], claim: `path:${directory}` });
    }
    if (dead_letters.enabled) {
      const directory = deadLetterDirectory(service.state_directory, name, dead_letters.directory);
      claims.push({ path: [...path, 'dead_letters', 'directory'], claim: `path:${directory}` });
    }
  }
  return claims;
}

function checkDestinations(references: readonly Reference[], { exporters }: ComponentMaps, report: Report): void {
  const first = new Map<string, string>();
  for (const { pipeline, section, id, path } of references) {
    const exporter = section === 'exporters' ? exporters.get(id) : undefined;
    for (const destination of exporter === undefined ? [] : destinationsOf(exporter)) {
      const key = `${pipeline} ${destination}`;
      const owner = first.get(key);
      first.set(key, owner ?? id);
      // The same exporter twice in a list has been told by `checkRepeated`.
      if (owner === undefined || owner === id) continue;
      const message = `${id} has a destination "${destination}", and so has ${owner}`;
      report({ path, at: 'value', message, hint: 'give the destinations of a pipeline different names' });
    }
  }
}
