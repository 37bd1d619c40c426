import {chmodSync, mkdirSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {startNatsServer} from '../support/nats-server.ts'
import {startNode, useNode} from '../support/tally-node.ts'

const node = useNode()

/** `ROOTFS` and `DIR` stand for what is known only when the node runs. */
async function tally(line: string) {
  const args = line.split(' ').map((word) => word.replace('ROOTFS', node.rootfs).replace('DIR', node.dir))
  return await node.tally(...args)
}

describe('bad input to run', () => {
  it.each([
    ['a command that is not there', 'run --rm --rootfs ROOTFS nosuch', 127, 'COMMAND_NOT_FOUND'],
    ['a command that is no program', 'run --rm --rootfs ROOTFS /etc/passwd', 126, 'COMMAND_NOT_EXECUTABLE'],
    ['a missing root file system', 'run --rm --rootfs DIR/nosuch true', 125, 'ROOTFS_INVALID'],
    ['a root file system that is a file', 'run --rm --rootfs ROOTFS/etc/passwd true', 125, 'ROOTFS_INVALID'],
    ['an unknown user', 'run --rm -u nosuch --rootfs ROOTFS true', 125, 'USER_NOT_FOUND'],
    ['an invalid id', 'run --rm --name a.b --rootfs ROOTFS true', 125, 'INVALID_REQUEST'],
    ['an id that leads out of the directory', 'run --rm --name ../../etc --rootfs ROOTFS true', 125, 'INVALID_REQUEST'],
    ['an invalid variable', 'run --rm -e =x --rootfs ROOTFS true', 125, 'INVALID_REQUEST'],
    ['a relative directory', 'run --rm -w tmp --rootfs ROOTFS true', 125, 'INVALID_REQUEST'],
    ['no command', 'run --rm --rootfs ROOTFS', 125, 'INVALID_ARGUMENT'],
    ['no root file system', 'run --rm true', 125, 'INVALID_ARGUMENT'],
    ['a bundle without config.json', 'run --rm --bundle ROOTFS', 125, 'BUNDLE_INVALID'],
    ['a bundle with a command', 'run --rm --bundle ROOTFS true', 125, 'INVALID_ARGUMENT'],
  ])('%s: says what was expected, exits as docker does, and leaves nothing', async (_, line, exitCode, code) => {
    const {stderr, ...ran} = await tally(line)
    expect(ran).toEqual({exitCode, stdout: ''})
    expect(stderr).toMatch(new RegExp(`^tally: .+ \\[${code}\\]\\n$`))
    expect(await node.json('ps', '-a')).toEqual([])
  })

  it.each([
    ['that is not JSON', '{'],
    ['that is no spec', '{"ociVersion": 1}'],
    ['whose root is missing', '{"ociVersion":"1.0.2","process":{"args":["sh"]},"root":{"path":"nosuch"}}'],
  ])('a bundle with a config.json %s is refused', async (_, config) => {
    const bundle = join(node.dir, 'broken-bundle')
    mkdirSync(bundle, {recursive: true})
    writeFileSync(join(bundle, 'config.json'), config)
    const {exitCode, stderr} = await node.tally('run', '--bundle', bundle)
    expect([exitCode, stderr]).toEqual([125, expect.stringContaining('[BUNDLE_INVALID]')])
    expect(await node.json('ps', '-a')).toEqual([])
  })

  it('a duplicate id is refused, and the first is unharmed', async () => {
    await tally('create --name twice --rootfs ROOTFS true')
    expect(await tally('create --name twice --rootfs ROOTFS true')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('[CONTAINER_EXISTS]'),
    })
    const both = await Promise.all([tally('create --name race --rootfs ROOTFS true'), tally('create --name race --rootfs ROOTFS true')])
    expect(both.map(({exitCode}) => exitCode).sort()).toEqual([0, 1])
    expect(await tally('rm twice race')).toMatchObject({exitCode: 0})
  })
})

describe('bad input to other verbs', () => {
  it.each(['start', 'stop', 'kill', 'wait', 'rm', 'inspect', 'logs'])(
    '%s of an unknown container is refused without waiting',
    async (verb) => {
      const before = performance.now()
      expect(await tally(`${verb} nosuch`)).toEqual({
        exitCode: 1,
        stdout: '',
        stderr: 'tally: no container nosuch in namespace default on node n1 [CONTAINER_NOT_FOUND]\n',
      })
      // Not after the 30 s in which another supervisor may take over.
      expect(performance.now() - before).toBeLessThan(20_000)
    },
  )

  it('an illegal command names the state and what is legal', async () => {
    await tally('run -d --name done --rootfs ROOTFS true')
    await tally('wait done')
    expect((await tally('start done')).stderr).toBe(
      'tally: cannot start a container that is stopped; legal now: delete [ILLEGAL_COMMAND]\n',
    )
    expect((await tally('kill done')).stderr).toBe('tally: cannot kill: init has already ended [PROCESS_ENDED]\n')
    expect((await node.events('done')).length).toBe(5)
    await tally('rm done')
  })

  it.each([
    ['an unknown verb', 'pss', /unknown command 'pss'\n\(Did you mean ps\?\)/],
    ['an unknown option', 'ps --al', /unknown option '--al'\n\(Did you mean --all\?\)/],
    ['a missing argument', 'stop', /missing required argument 'id'/],
    ['a signal that is none', 'kill -s FOO x', /expected a signal such as TERM, SIGTERM or 15, got "FOO"/],
    ['a time that is none', 'stop -t soon x', /expected a duration such as 30s, 1m30s, 200ms or 0.5, got "soon"/],
    ['a time with a sign', 'events --since -5', /expected a time such as .*, got "-5"/],
    ['a day that is none', 'logs --until 2026-02-31 x', /expected a time such as .*, got "2026-02-31"/],
    ['a filter that is none', 'events --filter colour=red', /expected type=…, id=…, namespace=… or node=…, got "colour=red"/],
    ['a node that is none', 'ps --node a.b', /expected --node to be 1 to 63 of/],
    ['a URL that is none', 'ps --nats http://x', /expected the NATS server http:..x to begin with nats:.. or tls:../],
    ['credentials without a server', 'ps --token x', /expected --nats with --token/],
    ['two ways to authenticate', 'ps --nats nats://x --token x --user y', /expected one way to authenticate, got --token and --user/],
  ])('%s exits with 2', async (_, line, message) => {
    const {exitCode, stderr} = await tally(line)
    expect(stderr).toMatch(message)
    expect(exitCode).toBe(2)
  })

  it('errors are JSON with --json', async () => {
    expect(JSON.parse((await tally('stop nosuch --json')).stderr)).toMatchObject({error: {code: 'CONTAINER_NOT_FOUND', kind: 'not_found'}})
  })
})

describe('a node that cannot be', () => {
  it('no server at the URL, wrong credentials, no JetStream', async () => {
    expect((await tally('ps --nats nats://127.0.0.1:1 --node n1')).stderr).toMatch(/no NATS server answers .*\[NATS_UNREACHABLE\]/)
    const {natsUrl} = await node.info()
    expect((await tally(`ps --nats ${natsUrl} --node n1 --user tally --password wrong`)).stderr).toMatch(
      /refused the credentials \[NATS_AUTH_FAILED\]/,
    )
    await using other = await startNode({up: false})
    await using nats = await startNatsServer({jetstream: false})
    const up = (password: string) => other.tally('up', '-d', '--nats', nats.url, '--user', nats.credentials.user, '--password', password)
    expect(await up('wrong')).toMatchObject({exitCode: 1, stderr: expect.stringMatching(/refused the credentials \[NATS_AUTH_FAILED\]/)})
    expect(await up(nats.credentials.password)).toMatchObject({exitCode: 1, stderr: expect.stringMatching(/\[JETSTREAM_UNAVAILABLE\]/)})
    expect((await other.tally('ps')).stderr).toMatch(/\[NODE_NOT_RUNNING\]/)
  })

  it('a second coordinator, another node name, a directory that others can write to', async () => {
    expect(await node.tally('up', '-d')).toMatchObject({exitCode: 1, stderr: expect.stringMatching(/already runs.*\[NODE_RUNNING\]/)})
    await using other = await startNode()
    await other.tally('down')
    expect((await other.tally('up', '-d', '--node', 'n2')).stderr).toMatch(
      /is that of node n1, not of n2: expected --node n1 \[STATE_DIR_INVALID\]/,
    )
    chmodSync(other.stateDir, 0o777)
    expect((await other.tally('up', '-d')).stderr).toMatch(/writable by its owner alone, got mode 777 \[STATE_DIR_INVALID\]/)
    chmodSync(other.stateDir, 0o700)
  })

  it('a state directory with the traces of a container that was never begun is cleaned', async () => {
    await using other = await startNode({up: false})
    const stale = join(other.stateDir, 'containers/default/stale')
    mkdirSync(stale, {recursive: true, mode: 0o700})
    writeFileSync(join(stale, 'journal.jsonl'), '')
    expect(await other.tally('up', '-d')).toMatchObject({exitCode: 0})
    expect(await other.tally('create', '--name', 'stale', '--rootfs', other.rootfs, 'true')).toMatchObject({exitCode: 0})
  })

  it('no runc, no nats-server: the message says how to get them', async () => {
    await using other = await startNode({args: ['--runtime', '/nonexistent/runc']})
    const refused = await other.tally('run', '--rootfs', other.rootfs, 'true')
    expect(refused).toMatchObject({exitCode: 125, stderr: expect.stringMatching(/apt-get install runc \[RUNTIME_NOT_FOUND\]/)})
    await using third = await startNode({up: false})
    expect((await third.tally('up', '-d', '--nats-server', '/nonexistent/nats')).stderr).toMatch(
      /apt-get install nats-server \[NATS_NOT_FOUND\]/,
    )
  })
})
