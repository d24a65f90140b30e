/** JSON Schema of the whole configuration file, for editors: completion, documentation on hover, mistakes underlined. */
import type { AnyDefinition } from './agent_config.ts';
import { fileSchema, NAME } from './file_schema.ts';
import { type JsonSchema, jsonSchemaOf } from './option_tree.ts';
import { type Registry, SECTIONS } from './registry.ts';

/** Text that only the environment tells the type of. */
const REFERENCE = '\\$\\{env:';

/** Draft 2020-12, which is what `# yaml-language-server: $schema=…` and most editors read. */
export function configJsonSchema(registry: Registry): JsonSchema {
  const schema = jsonSchemaOf(fileSchema);
  const properties = { ...schema.properties };
  for (const section of SECTIONS) {
    const own = properties[section];
    if (typeof own === 'object') properties[section] = componentMap(own, registry[section]);
  }
  return forEditors({ ...schema, title: 'Sluice configuration', properties });
}

function componentMap(own: JsonSchema, definitions: ReadonlyMap<string, AnyDefinition>): JsonSchema {
  const patternProperties: Record<string, JsonSchema> = {};
  for (const [type, { summary, options }] of definitions) {
    const { $schema: _, ...schema } = jsonSchemaOf(options);
    // `journald:` with nothing behind it stands for every default.
    const isOptional = (schema.required ?? []).length === 0;
    patternProperties[`^${type}(/${NAME})?$`] = {
      ...schema,
      description: summary,
      ...(isOptional ? { type: ['object', 'null'] } : {}),
    };
  }
  const { propertyNames: _, ...rest } = own;
  return { ...rest, patternProperties, additionalProperties: false };
}

/** Leaves out what is for the option tables only, and lets a reference to the environment stand for any plain value. */
function forEditors(schema: JsonSchema): JsonSchema {
  const { valueType: _, range: __, ...rest } = schema;
  const { anyOf, oneOf, properties, patternProperties, additionalProperties, items } = schema;
  const result: JsonSchema = {
    ...rest,
    ...(anyOf && { anyOf: anyOf.map(forEditors) }),
    ...(oneOf && { oneOf: oneOf.map(forEditors) }),
    ...(properties && { properties: mapValues(properties) }),
    ...(patternProperties && { patternProperties: mapValues(patternProperties) }),
  };
  if (typeof additionalProperties === 'object') result.additionalProperties = optionForEditors(additionalProperties);
  if (typeof items === 'object' && !Array.isArray(items)) result.items = optionForEditors(items);
  return result;
}

function mapValues(schemas: Readonly<Record<string, JsonSchema | boolean>>): Record<string, JsonSchema | boolean> {
  return Object.fromEntries(
    Object.entries(schemas).map(([key, schema]) => [key, typeof schema === 'boolean' ? schema : optionForEditors(schema)]),
  );
}

function optionForEditors(schema: JsonSchema): JsonSchema {
  const result = forEditors(schema);
  if (!isConstrainedScalar(schema)) return result;
  const { description, default: preset, examples, ...constraints } = result;
  return {
    ...(description === undefined ? {} : { description }),
    ...(preset === undefined ? {} : { default: preset }),
    ...(examples === undefined ? {} : { examples }),
    anyOf: [constraints, { type: 'string', pattern: REFERENCE }],
  };
}

/** A plain value that not every text would be accepted for. */
function isConstrainedScalar(schema: JsonSchema): boolean {
  const choices = schema.anyOf ?? schema.oneOf ?? [schema];
  const isScalar = choices.every(({ type }) => typeof type === 'string' && SCALARS.has(type));
  const takesAnyText = choices.some(({ type, ...rest }) => type === 'string' && CONSTRAINTS.every((key) => !(key in rest)));
  return isScalar && (!takesAnyText || schema.pattern !== undefined);
}

const SCALARS: ReadonlySet<string> = new Set(['string', 'number', 'integer', 'boolean']);
const CONSTRAINTS = ['pattern', 'enum', 'const', 'format'];
