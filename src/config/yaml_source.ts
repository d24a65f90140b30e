/** YAML text as plain data that knows where each value was written. Bounded: a hostile file gets an error, not all memory. */
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type Scalar,
  visit,
} from 'yaml';
import { setAt } from './data.ts';
import { type Environment, interpolate } from './interpolate.ts';
import { type ConfigProblem, formatPath, type Path } from './problem.ts';
import { yamlProblems } from './yaml_problems.ts';

/** Far more than any configuration needs; what parsing and checking cost grows with both. */
const MAX_CHARACTERS = 1024 * 1024;
const MAX_VALUES = 100_000;

/** Where one value was written, as offsets into the text. */
interface Place {
  readonly key: number | undefined;
  readonly value: number;
  /** The value could not be read, and the problem has been told. */
  isBroken: boolean;
  /** Text of the environment variable that a number or boolean was made of. */
  text: string | undefined;
}

/** Thrown inside, where reading on would cost too much. */
class TooLarge extends Error {}

export class YamlSource {
  /** Null where the file holds nothing or cannot be read at all. */
  readonly value: unknown = null;
  /** Syntax errors, duplicate keys and references that do not resolve. */
  readonly problems: ConfigProblem[] = [];
  readonly #lines = new LineCounter();
  readonly #env: Environment;
  readonly #places = new Map<string, Place>();
  readonly #targets = new Map<Node, Node | undefined>();
  readonly #open = new Set<Node>();
  #document: Document.Parsed | undefined;

  constructor(text: string, env: Environment) {
    this.#env = env;
    if (text.length > MAX_CHARACTERS) {
      this.#report([], 0, `is larger than ${MAX_CHARACTERS} characters`, 'a configuration this large is a mistake');
      return;
    }
    const document = parseDocument(text, {
      schema: 'core',
      stringKeys: true,
      uniqueKeys: false, // checked here in linear time, where the parser compares every pair
      prettyErrors: false,
      lineCounter: this.#lines,
    });
    this.#document = document;
    this.problems.push(...yamlProblems(text, document, (offset) => this.#at(offset)));
    if (this.problems.length > 0) return;
    this.#resolveAliases(document);
    try {
      this.value = this.#read(document.contents, undefined, []);
    } catch (thrown) {
      if (!(thrown instanceof TooLarge)) throw thrown;
      this.#report([], 0, `holds more than ${MAX_VALUES} values once its aliases are followed`, 'write fewer aliases');
    }
  }

  /** Where the value at `path` was written, or its key; of a path that is not there, where the nearest part of it was. */
  position(path: Path, of: 'key' | 'value'): { line: number; column: number } {
    for (let length = path.length; length > 0; length--) {
      const place = this.#places.get(placeKey(path.slice(0, length)));
      if (place === undefined) continue;
      const key = length < path.length || of === 'key' ? place.key : undefined;
      return this.#at(key ?? place.value);
    }
    return { line: 1, column: 1 };
  }

  /** Whether a problem with the value at `path`, or with one that holds it, has been told already. */
  isBroken(path: Path): boolean {
    return path.some((_, at) => this.#places.get(placeKey(path.slice(0, at + 1)))?.isBroken === true);
  }

  /**
   * Where an environment variable alone made a number or boolean at `path`, puts its text there instead; true where it did. A
   * data centre called `007` is a text, and only the option's schema knows that.
   */
  restoreText(path: Path): boolean {
    const place = this.#places.get(placeKey(path));
    if (place?.text === undefined) return false;
    setAt(this.value, path, place.text);
    place.text = undefined;
    return true;
  }

  #at(offset: number): { line: number; column: number } {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  #report(path: Path, offset: number, message: string, hint: string): void {
    this.problems.push({ ...this.#at(offset), path: formatPath(path), message, hint });
  }

  /** An alias means the last node before it that carries the anchor. */
  #resolveAliases(document: Document.Parsed): void {
    const anchors = new Map<string, Node>();
    visit(document, {
      Node: (_, node) => {
        if (isAlias(node)) this.#targets.set(node, anchors.get(node.source));
        else if (node.anchor !== undefined) anchors.set(node.anchor, node);
      },
    });
  }

  #read(node: unknown, keyOffset: number | undefined, path: Path): unknown {
    if (this.#places.size >= MAX_VALUES) throw new TooLarge();
    const written = nodeOf(node);
    const place: Place = { key: keyOffset, value: this.#startOf(written, keyOffset), isBroken: false, text: undefined };
    this.#places.set(placeKey(path), place);
    const target = isAlias(written) ? this.#follow(written, place, path) : written;
    if (target === undefined) return null;
    if (isScalar(target)) return this.#readScalar(target, place, path);
    this.#open.add(target);
    const value = isMap(target) ? this.#readMap(target.items, path) : isSeq(target) ? this.#readList(target.items, path) : null;
    this.#open.delete(target);
    return value;
  }

  /** A block that begins on a line below its key is shown at the key, and so is the lack of a value. */
  #startOf(node: Node | undefined, keyOffset: number | undefined): number {
    const offset = node?.range?.[0] ?? 0;
    if (keyOffset === undefined) return offset;
    const isBelow = this.#at(offset).line !== this.#at(keyOffset).line;
    return isBelow || (isScalar(node) && node.source === '') ? keyOffset : offset;
  }

  #follow(alias: Alias, place: Place, path: Path): Node | undefined {
    const target = this.#targets.get(alias);
    if (target !== undefined && !this.#open.has(target)) return target;
    place.isBroken = true;
    const what = target === undefined ? 'has no anchor before it' : 'is inside of what it stands for';
    this.#report(path, place.value, `the alias *${alias.source} ${what}`, 'write the value itself');
    return undefined;
  }

  #readMap(items: readonly { key: unknown; value: unknown }[], path: Path): unknown {
    const map: Record<string, unknown> = {};
    const offsets = new Map<string, number>();
    for (const { key: keyNode, value } of items) {
      const key = isScalar(keyNode) ? String(keyNode.value) : '';
      const offset = nodeOf(keyNode)?.range?.[0] ?? 0;
      const first = offsets.get(key);
      if (first !== undefined) {
        this.#report([...path, key], offset, 'is written twice', `the first is on line ${this.#at(first).line}: keep one`);
      } else if (key === '__proto__') {
        this.#report([...path, key], offset, 'cannot be used as a key', 'choose another name');
      } else if (key.includes('${')) {
        this.#report([...path, key], offset, 'cannot be used as a key', 'references to the environment work in values only');
      } else {
        offsets.set(key, offset);
        map[key] = this.#read(value, offset, [...path, key]);
      }
    }
    return map;
  }

  #readList(items: readonly unknown[], path: Path): unknown {
    return items.map((item, at) => this.#read(item, undefined, [...path, at]));
  }

  #readScalar({ value: written, type }: Scalar, place: Place, path: Path): unknown {
    if (typeof written !== 'string' || !written.includes('$')) return written;
    const { text, isReference, problems } = interpolate(written, this.#env);
    for (const { message, hint } of problems) this.#report(path, place.value, message, hint);
    place.isBroken = problems.length > 0;
    if (place.isBroken || !isReference || type !== 'PLAIN') return text;
    const value = this.#retype(text);
    if (value !== text) place.text = text;
    return value;
  }

  /** What YAML makes of `text` as one unquoted scalar: a number, a boolean or itself. */
  #retype(text: string): unknown {
    for (const tag of this.#document?.schema.tags ?? []) {
      if (tag.default !== true || tag.test?.test(text) !== true || tag.collection !== undefined) continue;
      const resolved = tag.resolve?.(text, () => {}, {});
      const value = isScalar(resolved) ? resolved.value : resolved;
      if (typeof value === 'number' || typeof value === 'boolean') return value;
    }
    return text;
  }
}

function nodeOf(value: unknown): Node | undefined {
  return isScalar(value) || isMap(value) || isSeq(value) || isAlias(value) ? value : undefined;
}

function placeKey(path: Path): string {
  return JSON.stringify(path);
}
