/** Plain data as it comes out of YAML: looking into it, and changing it, by path. */
import type { Path } from './problem.ts';

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The member of a map or list, or undefined where there is none. */
export function memberOf(value: unknown, key: string | number): unknown {
  if (Array.isArray(value)) return typeof key === 'number' ? value[key] : undefined;
  return isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

export function valueAt(root: unknown, path: Path): unknown {
  return path.reduce(memberOf, root);
}

/** Replaces the value at `path`, which is below the top and must be there. */
export function setAt(root: unknown, path: Path, value: unknown): void {
  const parent = valueAt(root, path.slice(0, -1));
  const key = path.at(-1);
  if (Array.isArray(parent) && typeof key === 'number') parent[key] = value;
  else if (isMap(parent) && key !== undefined) parent[key] = value;
}

/** The entries of a map; none of anything else. */
export function entriesOf(value: unknown): [string, unknown][] {
  return isMap(value) ? Object.entries(value) : [];
}

/** Whether it is a map or list with nothing in it. */
export function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
