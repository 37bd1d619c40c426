import {chmodSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {connectTally, type TallyClient} from '../../src/client/index.ts'
import {findReadySupervisor, findSupervisor} from '../support/find-supervisor.ts'
import {sendSignal} from '../support/send-signal.ts'
import {eventually, startNode, useNode} from '../support/tally-node.ts'

const node = useNode()
let client: TallyClient
beforeAll(async () => {
  client = await connectTally({runDir: node.runDir})
})
afterAll(() => client[Symbol.asyncDispose]())

/** A runtime that takes its time for one kind of call. */
function writeSlow(verb: string, seconds: number): string {
  const path = join(node.dir, `slow-${verb}`)
  writeFileSync(path, `#!/bin/sh\ncase " $* " in *" ${verb} "*) sleep ${seconds};; esac\nexec runc "$@"\n`)
  chmodSync(path, 0o755)
  return path
}

async function make(id: string, slowVerb: string, script = 'sleep 600') {
  await client.create({id, rootfs: node.rootfs, args: ['sh', '-c', script], runtime: {binary: writeSlow(slowVerb, 3)}})
  return client.container(id)
}

async function killSupervisorIn(ms: number, id: string): Promise<void> {
  await sleep(ms)
  sendSignal(findSupervisor(node, id), 'SIGKILL')
}

const count = async (id: string, wanted: string) => (await node.events(id)).filter(({type}) => type === wanted).length

describe('a command whose supervisor dies before it answers', () => {
  it('is carried out once by the next, and answered by that', async () => {
    const container = await make('started', 'start')
    const [view] = await Promise.all([container.start(), killSupervisorIn(1_000, 'started')])
    expect(view.state).toBe('running')
    expect(await count('started', 'container.start-requested')).toBe(1)
    expect(await count('started', 'supervisor.adopted')).toBe(1)
    await container.delete({force: true})
  })

  it('is answered though the container is gone with it', async () => {
    const container = await make('removed', 'delete')
    const [view] = await Promise.all([container.delete(), killSupervisorIn(1_000, 'removed')])
    expect(view.state).toBe('deleted')
    expect(await count('removed', 'container.delete-requested')).toBe(1)
    await expect(container.delete()).rejects.toMatchObject({code: 'CONTAINER_NOT_FOUND'})
  })

  it('adds a process once, and starts it once', async () => {
    const container = await make('host', 'exec')
    await container.start()
    const [view] = await Promise.all([container.addProcess({args: ['sleep', '600']}), killSupervisorIn(1_000, 'host')])
    expect(view.state).toBe('running')
    expect(await count('host', 'exec.added')).toBe(1)
    expect(await count('host', 'exec.started')).toBe(1)
    await container.delete({force: true})
  })

  it('is answered with its failure, if that is what came of it', async () => {
    const container = await make('paused', 'pause', 'sleep 3; exit 5')
    await container.start()
    const pausing = expect(container.pause()).rejects.toMatchObject({code: expect.stringMatching(/_FAILED$/)})
    await killSupervisorIn(1_000, 'paused')
    await pausing
    await container.delete({force: true})
  })
})

describe('a create whose coordinator dies before it answers', () => {
  it('is carried out once, and answered by the next coordinator', async () => {
    await using own = await startNode()
    await using asking = await connectTally({runDir: own.runDir})
    const path = join(own.dir, 'slow')
    writeFileSync(path, `#!/bin/sh\ncase " $* " in *" create "*) sleep 3;; esac\nexec runc "$@"\n`, {mode: 0o755})
    const creating = asking.create({rootfs: own.rootfs, args: ['sleep', '600'], runtime: {binary: path}})
    await sleep(1_000)
    process.kill((await own.info()).coordinatorPid, 'SIGKILL')
    expect(await own.tally('up', '-d')).toMatchObject({exitCode: 0})
    const {id, state} = await creating
    expect(state).toBe('created')
    expect((await own.events(id)).filter(({type}) => type === 'container.create-requested')).toHaveLength(1)
    await asking.container(id).delete()
  })
})

describe('a create that is asked again while this coordinator is at it', () => {
  it('is answered when it is done, and carried out once', async () => {
    let ready = 0
    await eventually('a supervisor is ready', () => {
      ready = findReadySupervisor(node) ?? 0
      return ready > 0
    })
    process.kill(ready, 'SIGSTOP')
    const creating = client.create({id: 'late', rootfs: node.rootfs, args: ['true']})
    await sleep(6_500)
    process.kill(ready, 'SIGCONT')
    expect((await creating).state).toBe('created')
    expect(await count('late', 'container.create-requested')).toBe(1)
    await client.container('late').delete()
  })

  it('is refused to another who wants that id', async () => {
    await client.create({id: 'taken', rootfs: node.rootfs, args: ['true']})
    await expect(client.create({id: 'taken', rootfs: node.rootfs, args: ['true']})).rejects.toMatchObject({code: 'CONTAINER_EXISTS'})
    await client.container('taken').delete()
  })
})

it('a create whose supervisor dies fails when what there was of it has gone, and its id is free', async () => {
  const creating = expect(make('orphaned', 'create')).rejects.toMatchObject({code: 'SUPERVISOR_FAILED'})
  await killSupervisorIn(1_500, 'orphaned')
  await creating
  await make('orphaned', 'none')
  await client.container('orphaned').delete()
})

it('who waits for an end is told of it by the next supervisor, within seconds', async () => {
  const container = await make('ending', 'none', 'sleep 2; exit 6')
  await container.start()
  const waiting = container.wait()
  await killSupervisorIn(200, 'ending')
  const begin = performance.now()
  expect((await waiting).exit).toEqual({type: 'code', code: 6})
  expect(performance.now() - begin).toBeLessThan(12_000)
  await container.delete()
})
