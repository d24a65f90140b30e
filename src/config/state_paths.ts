/** Where pipelines and components keep what must survive a restart. */
import { join } from 'node:path';

/** The directory of a pipeline's spool: the one that is configured, or its own in the state directory. */
export function spoolDirectory(stateDirectory: string, pipeline: string, configured: string | undefined): string {
  return configured ?? join(stateDirectory, 'spool', pipeline);
}

/** The directory of a pipeline's dead letters; likewise. */
export function deadLetterDirectory(stateDirectory: string, pipeline: string, configured: string | undefined): string {
  return configured ?? join(stateDirectory, 'dead_letters', pipeline);
}

/** The directory of a component's own; `kind` is its definition's. */
export function componentDirectory(stateDirectory: string, kind: string, id: string): string {
  return join(stateDirectory, `${kind}s`, id);
}
