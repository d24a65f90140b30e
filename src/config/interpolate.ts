/**
 * Environment references in the text of one scalar. It is done after the YAML was parsed, so that a variable can only ever become
 * (part of) one value, whatever it contains:
 *
 *     text      = *( "$$" / "${" reference "}" / other )      "$$" stands for one "$"; any other lone "$" for itself
 *     reference = "env:" name [ ":-" default ]
 *     name      = ( letter / "_" ) *( letter / digit / "_" )
 *     default   = *( any character but "}" )                  taken where the variable is unset or empty, as in a shell
 */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Interpolated {
  readonly text: string;
  /** True where the text was one reference and nothing else, so that its value may be a number or a boolean. */
  readonly isReference: boolean;
  /** What is wrong, each with what to do; `text` then means nothing. */
  readonly problems: readonly InterpolationProblem[];
}

export interface InterpolationProblem {
  readonly message: string;
  readonly hint: string;
}

const DOLLAR = /\$\$|\$\{([^}]*)(\}?)/g;
const REFERENCE = /^env:([A-Za-z_][A-Za-z0-9_]*)(?::-([^]*))?$/;

export function interpolate(source: string, env: Environment): Interpolated {
  const problems: InterpolationProblem[] = [];
  let isReference = false;
  const text = source.replace(DOLLAR, (match: string, inside: string | undefined, brace: string | undefined) => {
    if (inside === undefined) return '$';
    isReference = match.length === source.length;
    const [, name, fallback] = (brace === '}' && REFERENCE.exec(inside)) || [];
    if (name === undefined) {
      problems.push(malformed(match, brace === '}'));
      return match;
    }
    const value = Object.hasOwn(env, name) ? env[name] : undefined;
    if (fallback !== undefined && (value ?? '') === '') return fallback;
    if (value === undefined) problems.push(unset(name));
    return value ?? match;
  });
  return { text, isReference, problems };
}

function malformed(match: string, isClosed: boolean): InterpolationProblem {
  const inside = match.slice(2, isClosed ? -1 : undefined);
  const name = /^[A-Za-z_][A-Za-z0-9_]*/.exec(inside.replace(/^env:/, ''))?.[0] ?? 'NAME';
  return {
    message: isClosed ? `${match} is not a reference` : `"\${" without a closing brace`,
    hint: `write \${env:${name}} or \${env:${name}:-default}; for a literal "\${" write "$\${"`,
  };
}

function unset(name: string): InterpolationProblem {
  return {
    message: `the environment variable ${name} is not set`,
    hint: `set it, or give a default: \${env:${name}:-value}`,
  };
}
