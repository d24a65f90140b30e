import { defineExporter } from '../../../src/core/component.ts';
import { LogxExporter } from './exporter.ts';
import { options } from './options.ts';

export default defineExporter({
  summary: 'Ships records to log-x receivers, acknowledged, each destination with a way around its own endpoint.',
  options,
  destinations: ({ mode, destinations }) => Object.keys(destinations).slice(0, mode === 'failover' ? 1 : undefined),
  create: (checked, context) => new LogxExporter(checked, context),
});

export { type LogxOptions, options } from './options.ts';
