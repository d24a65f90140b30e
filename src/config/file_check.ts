/** Finds everything that is wrong with one file. */
import type { z } from 'zod';
import type { AnyDefinition, AnyExporter, AnyProcessor, AnyReceiver, ComponentConfig, ComponentMaps } from './agent_config.ts';
import { crossCheck } from './cross_check.ts';
import { entriesOf, isMap, memberOf, valueAt } from './data.ts';
import { explainAll, type Finding, issueMessage } from './explain.ts';
import { type FileConfig, fileSchema, parseComponentId } from './file_schema.ts';
import { nearest } from './nearest.ts';
import { optionTree } from './option_tree.ts';
import { type ConfigProblem, formatPath, type Path } from './problem.ts';
import { type Registry, type Section, SECTIONS } from './registry.ts';
import type { YamlSource } from './yaml_source.ts';

/** The parts of a configuration without problems. */
export interface CheckedFile {
  readonly file: FileConfig;
  readonly components: ComponentMaps;
}

/** One pass over one file; `problems` grows as the parts are checked, and no part keeps another from being checked. */
export class FileCheck {
  readonly problems: ConfigProblem[];
  readonly #source: YamlSource;

  constructor(source: YamlSource) {
    this.#source = source;
    this.problems = [...source.problems];
  }

  /** The checked parts, or undefined where there are problems. */
  run(registry: Registry): CheckedFile | undefined {
    const root = this.#source.value;
    if (!isMap(root)) {
      if (this.problems.length === 0) this.#report(notAMap(root));
      return undefined;
    }
    fillEmptySections(root);
    const file = this.#parse(fileSchema, [], root);
    const components = {
      receivers: this.#components<AnyReceiver>(root, 'receivers', registry.receivers),
      processors: this.#components<AnyProcessor>(root, 'processors', registry.processors),
      exporters: this.#components<AnyExporter>(root, 'exporters', registry.exporters),
    };
    const ids = {
      receivers: idsIn(root, 'receivers'),
      processors: idsIn(root, 'processors'),
      exporters: idsIn(root, 'exporters'),
    };
    crossCheck({ root, file, ids, components }, (finding) => this.#report(finding));
    return file === undefined || this.problems.length > 0 ? undefined : { file, components };
  }

  #report({ path, at, message, hint }: Finding): void {
    if (this.#source.isBroken(path)) return;
    this.problems.push({ ...this.#source.position(path, at), path: formatPath(path), message, hint });
  }

  /** Checks `value`, which stands at `path`; undefined where there are problems. */
  #parse<Output>(schema: z.ZodType<Output>, path: Path, value: unknown): Output | undefined {
    let result = schema.safeParse(value, { error: issueMessage });
    while (!result.success && this.#restoreTexts(path, result.error.issues)) {
      result = schema.safeParse(value, { error: issueMessage });
    }
    if (result.success) return result.data;
    for (const finding of explainAll(result.error.issues, optionTree(schema), value)) {
      this.#report({ ...finding, path: [...path, ...finding.path] });
    }
    return undefined;
  }

  /** True where one of the values at fault was made of an environment variable's text, and is now that text. */
  #restoreTexts(path: Path, issues: readonly z.core.$ZodIssue[]): boolean {
    return issues.filter((issue) => this.#source.restoreText([...path, ...plainPath(issue.path)])).length > 0;
  }

  /** The components of a section whose id, type and options are good. */
  #components<D extends AnyDefinition>(
    root: Record<string, unknown>,
    section: Section,
    definitions: ReadonlyMap<string, D>,
  ): Map<string, ComponentConfig<D>> {
    const components = new Map<string, ComponentConfig<D>>();
    for (const id of idsIn(root, section)) {
      const path = [section, id];
      const parsed = parseComponentId(id);
      if ('message' in parsed) {
        this.#report({ path, at: 'key', ...parsed });
        continue;
      }
      const { type } = parsed;
      const definition = definitions.get(type);
      if (definition === undefined) {
        this.#report({ path, at: 'key', ...unknownType(type, section, [...definitions.keys()]) });
        continue;
      }
      const options = this.#parse<unknown>(definition.options, path, valueAt(root, path));
      if (options !== undefined) components.set(id, { id, type, definition, options });
    }
    return components;
  }
}

function unknownType(type: string, section: Section, known: readonly string[]): { message: string; hint: string } {
  const meant = nearest(type, known);
  const hint = meant === undefined ? `known here: ${known.join(', ')}` : `did you mean ${meant}?`;
  return { message: `there is no ${section.slice(0, -1)} of the type ${type}`, hint };
}

function notAMap(root: unknown): Finding {
  const start = '"sluice config default" prints a configuration to start from';
  if (root === null) return { path: [], at: 'value', message: 'the configuration is empty', hint: start };
  const message = 'the configuration must be a map with receivers, exporters and service';
  return { path: [], at: 'value', message, hint: start };
}

/** `journald:` with nothing behind it means that every option has its default, and so do the sections. */
function fillEmptySections(root: Record<string, unknown>): void {
  for (const section of [...SECTIONS, 'service']) fill(root, section);
  for (const section of SECTIONS) for (const id of idsIn(root, section)) fill(root[section], id);
  for (const part of ['telemetry', 'pipelines']) fill(root['service'], part);
  for (const [, pipeline] of entriesOf(valueAt(root, ['service', 'pipelines']))) {
    for (const part of ['spool', 'dead_letters']) fill(pipeline, part);
    for (const part of ['memory', 'disk']) fill(memberOf(pipeline, 'spool'), part);
  }
}

function fill(parent: unknown, key: string): void {
  if (isMap(parent) && parent[key] === null) parent[key] = {};
}

function idsIn(root: unknown, section: Section): string[] {
  return entriesOf(memberOf(root, section)).map(([id]) => id);
}

function plainPath(path: readonly PropertyKey[]): Path {
  return path.filter((step) => typeof step !== 'symbol');
}
