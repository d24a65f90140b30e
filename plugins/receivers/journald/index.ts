import { defineReceiver } from '../../../src/core/component.ts';
import { options } from './options.ts';
import { JournaldReceiver } from './receiver.ts';

export default defineReceiver({
  summary: 'Reads the systemd journal from its files, follows it, and goes on after a restart where delivery ended.',
  options,
  replayable: true,
  create: (checked, context) => new JournaldReceiver(checked, context),
});
