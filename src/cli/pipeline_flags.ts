/** The flags of commands that look at what one pipeline keeps on disk. */
import type { PipelineConfig } from '../config/agent_config.ts';
import { SluiceError } from '../core/errors.ts';

export interface PlaceFlags {
  readonly config: string;
  readonly pipeline?: string;
  readonly directory?: string;
}

/** The one pipeline, or the one of that name. Throws a SluiceError where there is none, or no name and several. */
export function pickPipeline(pipelines: readonly PipelineConfig[], name: string | undefined, file: string): PipelineConfig {
  const names = pipelines.map((pipeline) => pipeline.name).join(', ');
  const [first, ...others] = name === undefined ? pipelines : pipelines.filter((pipeline) => pipeline.name === name);
  if (first === undefined) {
    throw new SluiceError('config_invalid', `there is no pipeline ${name} in ${file}`, { hint: `it has ${names}` });
  }
  if (others.length === 0) return first;
  throw new SluiceError('config_invalid', `${file} has several pipelines`, {
    hint: `say which one with --pipeline: ${names}`,
  });
}
