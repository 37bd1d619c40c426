/** An operator, an account and a user for a nats-server that asks for JWTs, and an nkey for one that knows its public half. */
import {randomUUID} from 'node:crypto'
import {nkeys} from 'nats'

type KeyPair = ReturnType<typeof nkeys.createUser>

export interface Jwts {
  /** Lines for the server's configuration. */
  readonly config: string
  /** What a .creds file holds. */
  readonly creds: string
}

/** The account may use JetStream without limits. */
export function makeJwts(): Jwts {
  const [operator, account, user] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createUser()]
  const unlimited = {subs: -1, data: -1, payload: -1}
  const limits = {...unlimited, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1, ...jetStreamLimits}
  const operatorJwt = sign(operator, operator, 'operator', {})
  const accountJwt = sign(operator, account, 'account', {limits})
  const userJwt = sign(account, user, 'user', {pub: {}, sub: {}, ...unlimited})
  return {
    config: `operator: ${operatorJwt}\nresolver: MEMORY\nresolver_preload: {${account.getPublicKey()}: ${accountJwt}}`,
    creds: [
      '-----BEGIN NATS USER JWT-----',
      userJwt,
      '------END NATS USER JWT------',
      '',
      '-----BEGIN USER NKEY SEED-----',
      toText(user.getSeed()),
      '------END USER NKEY SEED------',
      '',
    ].join('\n'),
  }
}

export function makeNkey(): {readonly publicKey: string; readonly seed: string} {
  const user = nkeys.createUser()
  return {publicKey: user.getPublicKey(), seed: toText(user.getSeed())}
}

const jetStreamLimits = {mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1}

function sign(issuer: KeyPair, subject: KeyPair, type: string, nats: object): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = {
    jti: randomUUID(),
    iat: Math.floor(Date.now() / 1_000),
    iss: issuer.getPublicKey(),
    sub: subject.getPublicKey(),
    name: type,
    nats: {...nats, type, version: 2},
  }
  const signed = `${part({typ: 'JWT', alg: 'ed25519-nkey'})}.${part(claims)}`
  return `${signed}.${Buffer.from(issuer.sign(Buffer.from(signed))).toString('base64url')}`
}

function toText(seed: Uint8Array): string {
  return Buffer.from(seed).toString('utf8')
}
