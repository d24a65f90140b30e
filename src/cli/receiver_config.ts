/** The configuration of a log-x receiver with the embedded store, as text, so that it can be shown, kept and changed. */

export interface ReceiverSettings {
  /** Lines for the top, without `#`. */
  readonly about: readonly string[];
  readonly name: string;
  /** `host:port` to listen on for agents. */
  readonly listen: string;
  /** Absolute path of the topic files' directory. */
  readonly directory: string;
  /** Absolute path. */
  readonly stateDirectory: string;
  /** `host:port` for metrics and health. */
  readonly telemetry: string;
}

/** YAML, which `sluice check` accepts where the settings are good. */
export function receiverConfig({ about, name, listen, directory, stateDirectory, telemetry }: ReceiverSettings): string {
  return `${comment(about)}receivers:
  cfjs1:
    listen: ${scalar(listen)}
    name: ${scalar(name)}
exporters:
  topics:
    directory: ${scalar(directory)}
service:
  state_directory: ${scalar(stateDirectory)}
  telemetry: { address: ${scalar(telemetry)} }
  pipelines:
    logs: { receivers: [cfjs1], exporters: [topics] }
`;
}

/** Comment lines. */
export function comment(lines: readonly string[]): string {
  return lines.map((line) => `# ${line}\n`).join('');
}

/** A text as a YAML scalar that means the same whatever it contains, `${env:…}` included. JSON strings are YAML. */
export function scalar(text: string): string {
  return JSON.stringify(text).replaceAll('$', '$$$$');
}
