/** The configurations that the demo runs with, as text, so that they can be read and changed. */
import { formatAddress } from '../../kit/options.ts';
import { comment, receiverConfig, scalar } from '../receiver_config.ts';
import { AGENT, type DemoPaths, type MemberName, RECEIVERS, type ReceiverName } from './paths.ts';

export interface DemoPorts {
  /** Where agents connect to each receiver. */
  readonly listen: Readonly<Record<ReceiverName, number>>;
  /** Where each process serves its metrics. */
  readonly telemetry: Readonly<Record<MemberName, number>>;
}

export const PREFERRED_PORTS: DemoPorts = {
  listen: { 'log-a': 6514, 'log-b': 6515 },
  telemetry: { [AGENT]: 9476, 'log-a': 9477, 'log-b': 9478 },
};

/** The configuration of each process. With `hasJournal` the agent reads the host's journal. */
export function demoConfigs(paths: DemoPaths, ports: DemoPorts, hasJournal: boolean): Map<MemberName, string> {
  const configs = new Map<MemberName, string>();
  for (const name of RECEIVERS) {
    configs.set(
      name,
      receiverConfig({
        about: [`The receiver ${name} of "sluice demo".`, ...ABOUT_CHANGES],
        name,
        listen: local(ports.listen[name]),
        directory: paths.topics(name),
        stateDirectory: paths.state(name),
        telemetry: local(ports.telemetry[name]),
      }),
    );
  }
  return configs.set(AGENT, agentConfig(paths, ports, hasJournal));
}

const ABOUT_CHANGES = [
  'Change it as you like and start the demo again: it leaves a file alone that was changed.',
  'Delete it to have it written anew.',
];

function agentConfig(paths: DemoPaths, ports: DemoPorts, hasJournal: boolean): string {
  const about = ['The agent of "sluice demo".', ...ABOUT_CHANGES];
  const destinations = RECEIVERS.map((name) => `      ${name}: { endpoint: "tcp://${local(ports.listen[name])}" }\n`);
  return `${comment(about)}receivers:
${hasJournal ? '  journald: {}\n' : '  # journald: {}      # there were no files of it that the user of the demo could read\n'}  pipe/demo:
    path: ${scalar(paths.pipe)}
    service: demo
  unix:
    path: ${scalar(paths.socket)}
    service: demo
processors:
  tag:
    datacenter: \${env:DATACENTER:-demo}
    tags: { dc_state: active }
  rate_limit:
    key: service
    records_per_second: 5000
    burst: 20000
exporters:
  logx:
    mode: replicate
    destinations:
${destinations.join('')}service:
  state_directory: ${scalar(paths.state(AGENT))}
  telemetry: { address: ${scalar(local(ports.telemetry[AGENT]))} }
  pipelines:
    logs:
      receivers: [${hasJournal ? 'journald, ' : ''}pipe/demo, unix]
      processors: [tag, rate_limit]
      exporters: [logx]
`;
}

function local(port: number): string {
  return formatAddress({ host: '127.0.0.1', port });
}
