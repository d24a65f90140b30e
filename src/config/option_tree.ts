/**
 * A schema as people see it: a tree of options with name, type, default and documentation. The messages, the annotated
 * configuration and the option tables are all made from it; it is made from the schema's JSON Schema for input.
 */
import { z } from 'zod';
import { isEmpty } from './data.ts';

export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** How an option's value is built up: `map` has entries under names of the operator's choosing, `object` has fixed ones. */
export type Shape = 'scalar' | 'object' | 'map' | 'list';

export interface Option {
  /** Its key; `<name>` for the entries of a map, empty for those of a list and for the top. */
  readonly name: string;
  readonly shape: Shape;
  /** For people: `duration, at least 1s`, `json, text or auto`, `list of string`. */
  readonly type: string;
  /** Empty where the schema says nothing. */
  readonly doc: string;
  readonly required: boolean;
  /** As it would be written in the file; undefined where there is none. */
  readonly default: unknown;
  readonly examples: readonly unknown[];
  /** Members of an object; the one entry of a map or list. */
  readonly children: readonly Option[];
}

/** Name of the one child of a map. */
export const ENTRY = '<name>';

/** JSON Schema (draft 2020-12) of what may be written for `schema`; a type that JSON Schema lacks allows anything. */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', override: restoreInputFacts });
}

/**
 * zod takes examples and defaults for what a type gives, and leaves them out where it converts its input. Here examples are what
 * is written in the file, and an empty map or list is the same before and after.
 */
function restoreInputFacts({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodType; jsonSchema: JsonSchema }): void {
  const examples = z.globalRegistry.get(zodSchema)?.['examples'];
  if (Array.isArray(examples)) jsonSchema.examples = examples;
  if (!(zodSchema instanceof z.ZodDefault)) return;
  const preset: unknown = zodSchema.def.defaultValue;
  if (isEmpty(preset)) jsonSchema.default = preset;
}

/** The tree of a schema, itself the top: a component's options are its `children`. */
export function optionTree(schema: z.ZodType): Option {
  return optionOf('', jsonSchemaOf(schema), true);
}

/** The option at a path of keys and indexes, or undefined where the schema has none. */
export function findOption(top: Option, path: readonly (string | number)[]): Option | undefined {
  let option: Option | undefined = top;
  for (const step of path) {
    const children: readonly Option[] = option.children;
    option = option.shape === 'object' ? children.find(({ name }) => name === step) : children[0];
    if (option === undefined) return undefined;
  }
  return option;
}

function optionOf(name: string, schema: JsonSchema, required: boolean): Option {
  const children = childrenOf(schema);
  return {
    name,
    shape: shapeOf(schema),
    type: typeOf(schema),
    doc: schema.description ?? '',
    required,
    default: schema.default,
    examples: Array.isArray(schema.examples) ? schema.examples : [],
    children,
  };
}

/** The schema itself, or what it is a choice of. */
function alternatives(schema: JsonSchema): JsonSchema[] {
  return (schema.anyOf ?? schema.oneOf)?.flatMap(alternatives) ?? [schema];
}

function entryOf({ additionalProperties }: JsonSchema): JsonSchema | undefined {
  return typeof additionalProperties === 'object' ? additionalProperties : undefined;
}

function shapeOf(schema: JsonSchema): Shape {
  const choices = alternatives(schema);
  if (choices.some((choice) => choice.properties !== undefined)) return 'object';
  if (choices.some((choice) => entryOf(choice) !== undefined)) return 'map';
  return choices.some((choice) => choice.items !== undefined) ? 'list' : 'scalar';
}

function childrenOf(schema: JsonSchema): Option[] {
  const choices = alternatives(schema);
  const shape = shapeOf(schema);
  if (shape === 'map') return choices.flatMap(entries).map((entry) => optionOf(ENTRY, entry, false));
  if (shape === 'list') return choices.flatMap(items).map((item) => optionOf('', item, false));
  const members = new Map<string, Option>();
  for (const { properties = {}, required = [] } of choices) {
    for (const [name, member] of Object.entries(properties)) {
      if (typeof member !== 'boolean' && !members.has(name)) members.set(name, optionOf(name, member, required.includes(name)));
    }
  }
  return [...members.values()];
}

function entries(schema: JsonSchema): JsonSchema[] {
  const entry = entryOf(schema);
  return entry === undefined ? [] : [entry];
}

function items(schema: JsonSchema): JsonSchema[] {
  return typeof schema.items === 'object' && !Array.isArray(schema.items) ? [schema.items] : [];
}

function typeOf(schema: JsonSchema): string {
  const name = typeof schema['valueType'] === 'string' ? schema['valueType'] : plainTypeOf(schema);
  const range = typeof schema['range'] === 'string' ? schema['range'] : rangeOf(schema);
  return range === '' ? name : `${name}, ${range}`;
}

function plainTypeOf(schema: JsonSchema): string {
  const choices = alternatives(schema);
  if (choices.length > 1) return joinOr([...new Set(choices.map(typeOf))]);
  if (schema.enum !== undefined) return joinOr(schema.enum.map(String));
  if (schema.const !== undefined) return String(schema.const);
  const [item] = items(schema);
  if (schema.type === 'array') return item === undefined ? 'list' : `list of ${typeOf(item)}`;
  if (schema.type !== 'object') return typeof schema.type === 'string' ? schema.type : 'any';
  const entry = entryOf(schema);
  return entry === undefined || shapeOf(entry) !== 'scalar' ? 'map' : `map of ${typeOf(entry)}`;
}

/** zod bounds whole numbers by what a double holds exactly; nobody needs to read that. */
function rangeOf({ type, minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string {
  if (type !== 'integer' && type !== 'number') return '';
  const from = minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? undefined : minimum;
  const to = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (from !== undefined && to !== undefined) return `from ${from} to ${to}`;
  if (from !== undefined) return `at least ${from}`;
  if (to !== undefined) return `at most ${to}`;
  if (exclusiveMinimum !== undefined) return `more than ${exclusiveMinimum}`;
  return exclusiveMaximum === undefined ? '' : `less than ${exclusiveMaximum}`;
}

/** `a, b or c`. */
export function joinOr(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`;
}
