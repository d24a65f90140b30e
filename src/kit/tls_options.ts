/** Options of connections that are encrypted (TLS), as a client and as a server. Files are PEM. */
import { z } from 'zod';
import { absolutePath } from './options.ts';

function minVersion() {
  return z
    .enum(['TLSv1.2', 'TLSv1.3'])
    .default('TLSv1.2')
    .describe('The oldest version of the protocol that is spoken; the newest that both sides know is.');
}

/** `tls` of whoever connects. */
export function clientTls() {
  return z
    .strictObject({
      ca: absolutePath()
        .optional()
        .describe('Certificates of the authorities that the peer is trusted by; without it, those that the system trusts.')
        .meta({ examples: ['/etc/sluice/tls/ca.pem'] }),
      certificate: absolutePath()
        .optional()
        .describe('Certificate that is shown to the peer, with those between it and its authority behind it.')
        .meta({ examples: ['/etc/sluice/tls/agent.pem'] }),
      key: absolutePath()
        .optional()
        .describe('Private key of the certificate, without a passphrase.')
        .meta({ examples: ['/etc/sluice/tls/agent.key'] }),
      server_name: z
        .string()
        .min(1)
        .max(253)
        .optional()
        .describe("Name that the peer's certificate must bear; without it, the host that is connected to.")
        .meta({ examples: ['log-a.example.net'] }),
      verify: z
        .boolean()
        .default(true)
        .describe('Whether authority and name are checked. `false` trusts whoever answers, and is for tests only.'),
      min_version: minVersion(),
    })
    .refine(({ certificate, key }) => (certificate === undefined) === (key === undefined), {
      error: 'needs both certificate and key, or neither',
    });
}

export type ClientTlsOptions = z.output<ReturnType<typeof clientTls>>;

/** `tls` of whoever is connected to. */
export function serverTls() {
  return z.strictObject({
    certificate: absolutePath()
      .describe('Certificate of this server, with those between it and its authority behind it.')
      .meta({ examples: ['/etc/sluice/tls/log-a.pem'] }),
    key: absolutePath()
      .describe('Private key of the certificate, without a passphrase.')
      .meta({ examples: ['/etc/sluice/tls/log-a.key'] }),
    client_ca: absolutePath()
      .optional()
      .describe(
        'Certificates of the authorities that clients are trusted by; without it, clients are not asked for a certificate.',
      )
      .meta({ examples: ['/etc/sluice/tls/ca.pem'] }),
    require_client_certificate: z
      .boolean()
      .default(true)
      .describe(
        'Whether a client that has no certificate is refused, where `client_ca` is set. A certificate that `client_ca` does not vouch for is always refused.',
      ),
    min_version: minVersion(),
  });
}

export type ServerTlsOptions = z.output<ReturnType<typeof serverTls>>;
