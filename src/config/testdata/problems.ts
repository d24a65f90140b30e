/** What is wrong with a text, one `line:column: path: message (hint)` a problem. */
import type { Environment } from '../interpolate.ts';
import { parseConfig } from '../load.ts';
import { ConfigError, formatProblem } from '../problem.ts';
import { fakeRegistry } from './fake_registry.ts';

export function problemsOf(text: string, env: Environment = {}): string[] {
  try {
    parseConfig(text, 'f', { registry: fakeRegistry, env });
    return [];
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown;
    return thrown.problems.map((problem) => formatProblem('f', problem).slice('f:'.length));
  }
}

/** A configuration with nothing wrong, for tests that put one thing wrong in it. */
export const GOOD = `receivers:
  journald: {}
  pipe/nginx:
    path: /run/sluice/nginx.pipe
    format: json
    service: nginx
processors:
  tag:
    datacenter: eu-1
    tags: { dc_state: active }
  rate_limit:
    key: service
    records_per_second: 5000
    overrides:
      nginx: { records_per_second: 50000, burst: 100000 }
exporters:
  logx:
    mode: replicate
    destinations:
      log-a: { endpoint: "tcp://127.0.0.1:6514", protocol: cfjs1 }
      log-b: { endpoint: "tcp://127.0.0.1:6515", protocol: cfjs1 }
service:
  pipelines:
    logs: { receivers: [journald, pipe/nginx], processors: [tag, rate_limit], exporters: [logx] }
  telemetry:
    address: 127.0.0.1:9476
`;

/** `GOOD` with `from`, which must be in it, replaced. */
export function goodBut(from: string, to: string): string {
  if (!GOOD.includes(from)) throw new Error(`the good configuration does not hold ${from}`);
  return GOOD.replace(from, () => to);
}
