/** Credentials for a NATS server. Files are read for each connection, so that renewed credentials are used. */
import {readFile} from 'node:fs/promises'
import {type Authenticator, type ConnectionOptions, credsAuthenticator, nkeyAuthenticator} from 'nats'
import * as z from 'zod'
import {TallyError} from '../kernel/errors.ts'

export const credentialsSchema = z.discriminatedUnion('type', [
  z.object({type: z.literal('none')}),
  z.object({type: z.literal('user'), user: z.string(), password: z.string()}),
  z.object({type: z.literal('token'), token: z.string()}),
  /** A .creds file: JWT and nkey seed. */
  z.object({type: z.literal('creds'), file: z.string()}),
  /** A file with an nkey seed alone. */
  z.object({type: z.literal('nkey'), file: z.string()}),
])
export type Credentials = z.infer<typeof credentialsSchema>

/** @throws TallyError NATS_AUTH_FAILED when the file cannot be used */
export async function toAuthentication(
  credentials: Credentials,
): Promise<Pick<ConnectionOptions, 'user' | 'pass' | 'token' | 'authenticator'>> {
  switch (credentials.type) {
    case 'none':
      return {}
    case 'user':
      return {user: credentials.user, pass: credentials.password}
    case 'token':
      return {token: credentials.token}
    case 'creds':
      return {authenticator: check(credsAuthenticator(await readCredentials(credentials.file)), credentials.file, 'a JWT and an nkey seed')}
    case 'nkey':
      return {authenticator: check(nkeyAuthenticator(findSeed(await readCredentials(credentials.file))), credentials.file, 'an nkey seed')}
  }
}

async function readCredentials(file: string): Promise<Uint8Array> {
  return await readFile(file).catch((cause: unknown) => {
    throw new TallyError('NATS_AUTH_FAILED', `cannot read the credentials file ${file}`, {cause})
  })
}

/** There may be other lines around it, such as comments. */
function findSeed(bytes: Uint8Array): Uint8Array {
  const seed = /^\s*(S[A-Z2-7]{57})\s*$/m.exec(Buffer.from(bytes).toString('utf8'))?.[1]
  return Buffer.from(seed ?? 'no seed')
}

/** Signs once: a file without a valid seed would otherwise fail in the middle of connecting. */
function check(authenticator: Authenticator, file: string, expected: string): Authenticator {
  try {
    authenticator('nonce')
    return authenticator
  } catch (cause) {
    throw new TallyError('NATS_AUTH_FAILED', `expected ${expected} in the credentials file ${file}`, {cause})
  }
}
