import {join} from 'node:path'
import {Command} from 'commander'
import {describe, expect, it} from 'vitest'
import {addContainerOptions} from '../../../src/cli/container-options.ts'
import {addNodeOptions, type NodeOptions, resolveNodeOptions} from '../../../src/cli/node-options.ts'

/** The resolved options of a command line, for the verbs `ps` and `run`. */
function resolve(line: string, environment: NodeJS.ProcessEnv = {}): NodeOptions {
  let resolved: NodeOptions | undefined
  const program = new Command('tally').enablePositionalOptions().exitOverride()
  addNodeOptions(program)
  const action = (command: Command) => {
    resolved = resolveNodeOptions(command, environment)
  }
  const ps = program.command('ps')
  addNodeOptions(ps)
  ps.action((_flags: unknown, command: Command) => action(command))
  const run = addContainerOptions(program.command('run'))
  addNodeOptions(run)
  run.action((_args: unknown, _flags: unknown, command: Command) => action(command))
  program.parse(line.split(' '), {from: 'user'})
  if (!resolved) throw new Error('no verb was run')
  return resolved
}

describe('node options', () => {
  it('have defaults', () => {
    expect(resolve('ps')).toEqual({
      stateDir: '/var/lib/tally',
      runDir: '/run/tally',
      node: undefined,
      nats: undefined,
      prefix: undefined,
      namespace: 'default',
      json: false,
    })
  })

  it('are taken from the environment, and a flag wins over it', () => {
    expect(resolve('ps', {TALLY_STATE_DIR: '/a', TALLY_NAMESPACE: 'x'})).toMatchObject({stateDir: '/a', namespace: 'x'})
    expect(resolve('ps --state-dir /b', {TALLY_STATE_DIR: '/a'})).toMatchObject({stateDir: '/b'})
    expect(resolve('ps', {TALLY_STATE_DIR: ''})).toMatchObject({stateDir: '/var/lib/tally'})
  })

  it('can be given before or after the verb, and the latter wins', () => {
    expect(resolve('--run-dir /a --json ps')).toMatchObject({runDir: '/a', json: true})
    expect(resolve('ps --run-dir /a --json')).toMatchObject({runDir: '/a', json: true})
    expect(resolve('--run-dir /a ps --run-dir /b')).toMatchObject({runDir: '/b'})
  })

  it('keep the user of NATS and the user of the container apart', () => {
    const nats = {url: 'nats://h:4222', credentials: {type: 'user', user: 'x', password: 'p'}}
    expect(resolve('--user x run --nats nats://h:4222 --password p --user nobody true')).toMatchObject({nats})
    expect(resolve('run -u nobody true')).toMatchObject({nats: undefined})
  })

  it.each([
    ['nats://h', {url: 'nats://h', credentials: {type: 'none'}}],
    ['h:4222', {url: 'nats://h:4222', credentials: {type: 'none'}}],
    ['nats://u:p%40@h:1', {url: 'nats://h:1', credentials: {type: 'user', user: 'u', password: 'p@'}}],
    ['tls://t@h', {url: 'tls://h', credentials: {type: 'token', token: 't'}}],
    [
      'tls://a:1,u:p@b:2,nats://c',
      {url: 'tls://a:1', servers: ['tls://a:1', 'nats://b:2', 'nats://c'], credentials: {type: 'user', user: 'u', password: 'p'}},
    ],
  ])('understand the URL %s', (url, nats) => {
    expect(resolve(`ps --nats ${url}`).nats).toEqual(nats)
  })

  it('take the files of TLS and of nkeys with absolute paths', () => {
    const {nats} = resolve('ps --nats h --tls-ca ca.pem --tls-cert /c.pem --tls-key /k.pem --tls-first --nkey seed')
    expect(nats).toEqual({
      url: 'nats://h',
      credentials: {type: 'nkey', file: join(process.cwd(), 'seed')},
      tls: {ca: join(process.cwd(), 'ca.pem'), cert: '/c.pem', key: '/k.pem', first: true},
    })
    expect(resolve('ps --nats h', {TALLY_TLS_FIRST: 'yes'}).nats).toMatchObject({tls: {first: true}})
    expect(resolve('ps --nats h', {TALLY_TLS_FIRST: '0'}).nats).not.toHaveProperty('tls')
  })

  it.each([
    ['ps --nats http://h', /expected the NATS server http:\/\/h to begin with nats:\/\/ or tls:\/\//],
    ['ps --nats wss://u:p@h', /wss:\/\/h to begin with nats:\/\/ or tls:\/\/: NATS over WebSocket is not spoken here/],
    ['ps --nats nats://h,', /expected --nats to be a URL such as .*, or several with commas/],
    ['ps --nats h --tls-cert c.pem', /expected --tls-cert and --tls-key together, got --tls-cert alone/],
    ['ps --tls-ca ca.pem', /expected --nats with --tls-ca/],
    ['ps --nats h --nats-context x', /expected --nats or --nats-context/],
    ['ps --token t', /expected --nats with --token/],
    ['ps --nats h --token t --creds f', /expected one way to authenticate, got --creds and --token/],
    ['ps --namespace a.b', /expected --namespace to be 1 to 63/],
    ['ps --node -', /expected --node to be 1 to 63/],
  ])('refuse %s', (line, message) => {
    expect(() => resolve(line)).toThrow(message)
  })
})
