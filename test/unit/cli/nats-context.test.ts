import {mkdirSync, writeFileSync} from 'node:fs'
import {homedir} from 'node:os'
import {join} from 'node:path'
import {afterAll, describe, expect, it} from 'vitest'
import {toNatsAccess} from '../../../src/cli/nats-options.ts'
import {makeTempDir} from '../../support/temp-dir.ts'

const dir = makeTempDir()
const contexts = join(dir.path, 'nats/context')
mkdirSync(contexts, {recursive: true})
afterAll(() => dir[Symbol.asyncDispose]())

function read(context: unknown, options: Readonly<Record<string, string>> = {}) {
  writeFileSync(join(contexts, 'prod.json'), typeof context === 'string' ? context : JSON.stringify(context))
  const given: Readonly<Record<string, string>> = {natsContext: 'prod', ...options}
  return toNatsAccess((name) => given[name], {XDG_CONFIG_HOME: dir.path})
}

describe('a context of the nats tool', () => {
  it('is read in the format of the tool', () => {
    const written = {
      description: '',
      url: 'tls://a:4222,tls://b:4222',
      socks_proxy: '',
      token: '',
      user: '',
      password: '',
      creds: '~/tally.creds',
      nkey: '',
      cert: '/c.pem',
      key: '/k.pem',
      ca: '/ca.pem',
      nsc: '',
      jetstream_domain: '',
      jetstream_api_prefix: '',
      jetstream_event_prefix: '',
      inbox_prefix: '',
      user_jwt: '',
      color_scheme: '',
      tls_first: true,
    }
    expect(read(written)).toEqual({
      url: 'tls://a:4222',
      servers: ['tls://a:4222', 'tls://b:4222'],
      credentials: {type: 'creds', file: join(homedir(), 'tally.creds')},
      tls: {ca: '/ca.pem', cert: '/c.pem', key: '/k.pem', first: true},
    })
  })

  it.each([
    [{}, {url: 'nats://127.0.0.1:4222', credentials: {type: 'none'}}],
    [
      {url: 'h', token: 't'},
      {url: 'nats://h', credentials: {type: 'token', token: 't'}},
    ],
    [
      {url: 'h', nkey: '/seed'},
      {url: 'nats://h', credentials: {type: 'nkey', file: '/seed'}},
    ],
    [
      {url: 'h', nkey: 'file:///seed'},
      {url: 'nats://h', credentials: {type: 'nkey', file: '/seed'}},
    ],
    [
      {url: 'h', user: 'u', password: 'p', token: 't'},
      {url: 'nats://h', credentials: {type: 'user', user: 'u', password: 'p'}},
    ],
  ])('can lack most fields: %j', (context, access) => {
    expect(read(context)).toEqual(access)
  })

  it('is overridden by options', () => {
    expect(read({url: 'h', user: 'u', password: 'p', ca: '/ca.pem'}, {token: 't', tlsCa: '/other.pem'})).toEqual({
      url: 'nats://h',
      credentials: {type: 'token', token: 't'},
      tls: {ca: '/other.pem'},
    })
  })

  it.each([
    ['{', /prod\.json is not a context of the nats tool/],
    [{url: 7}, /prod\.json is not a context of the nats tool: .*url/],
    [{url: 'wss://h'}, /NATS over WebSocket is not spoken here/],
    [{url: 'h', nsc: 'nsc://o/a/u'}, /has nsc, which is not supported/],
    [{url: 'h', jetstream_domain: 'hub'}, /has jetstream_domain, which is not supported/],
    [{url: 'h', user: 'u', password: 'op://vault/item'}, /has a value at op:\/\/, which is not supported/],
  ])('is refused with a field that is not supported: %j', (context, message) => {
    expect(() => read(context)).toThrow(message)
  })

  it.each([
    ['none', /no such context: expected .*nats\/context\/none\.json/],
    ['../prod', /expected the name of a context/],
  ])('must exist under its name: %s', (natsContext, message) => {
    expect(() => read({}, {natsContext})).toThrow(message)
  })
})
