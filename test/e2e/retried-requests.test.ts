import {existsSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {connectTally, type TallyClient} from '../../src/client/index.ts'
import {findReadySupervisor, findSupervisor} from '../support/find-supervisor.ts'
import {killNode} from '../support/kill-node.ts'
import {sendSignal} from '../support/send-signal.ts'
import {eventually, startNode, useNode} from '../support/tally-node.ts'
import {tellToEnd, untilTold} from '../support/until-told.ts'

const node = useNode()
let client: TallyClient
beforeAll(async () => {
  client = await connectTally({runDir: node.runDir})
})
afterAll(() => client[Symbol.asyncDispose]())

/** A runtime for one container that needs 3 s for one kind of call; there is a file `<path>.called` from when it is called. */
function writeSlow(dir: string, id: string, verb: string): string {
  const path = join(dir, `slow-${id}`)
  writeFileSync(path, `#!/bin/sh\ncase " $* " in *" ${verb} "*) touch ${path}.called; sleep 3;; esac\nexec runc "$@"\n`, {mode: 0o755})
  return path
}

const isCalled = (dir: string, id: string) => eventually(`the runtime of ${id} is called`, () => existsSync(join(dir, `slow-${id}.called`)))

async function make(id: string, slowVerb: string, script = 'sleep 600') {
  const runtime = {binary: writeSlow(node.dir, id, slowVerb)}
  await client.create({id, rootfs: node.rootfs, overlay: true, args: ['sh', '-c', script], runtime})
  return client.container(id)
}

async function killSupervisorInCall(id: string): Promise<void> {
  await isCalled(node.dir, id)
  sendSignal(findSupervisor(node, id), 'SIGKILL')
}

const count = async (id: string, wanted: string) => (await node.events(id)).filter(({type}) => type === wanted).length

describe.concurrent('a command whose supervisor dies before it answers', () => {
  it('is carried out once by the next, and answered by that', async () => {
    const container = await make('started', 'start')
    const [view] = await Promise.all([container.start(), killSupervisorInCall('started')])
    expect(view.state).toBe('running')
    expect(await count('started', 'container.start-requested')).toBe(1)
    expect(await count('started', 'supervisor.adopted')).toBe(1)
    await container.delete({force: true})
  })

  it('is answered though the container is deleted by it', async () => {
    const container = await make('removed', 'delete')
    const [view] = await Promise.all([container.delete(), killSupervisorInCall('removed')])
    expect(view.state).toBe('deleted')
    expect(await count('removed', 'container.delete-requested')).toBe(1)
    await expect(container.delete()).rejects.toMatchObject({code: 'CONTAINER_NOT_FOUND'})
  })

  it('adds a process once, and starts it once', async () => {
    const container = await make('host', 'exec')
    await container.start()
    const [view] = await Promise.all([container.addProcess({args: ['sleep', '600']}), killSupervisorInCall('host')])
    expect(view.state).toBe('running')
    expect(await count('host', 'exec.added')).toBe(1)
    expect(await count('host', 'exec.started')).toBe(1)
    await container.delete({force: true})
  })

  it('is answered with its failure, if that is what came of it', async () => {
    const container = await make('paused', 'pause', `${untilTold}; exit 5`)
    await container.start()
    const {pid} = await container.state()
    const pausing = expect(container.pause()).rejects.toMatchObject({code: expect.stringMatching(/_FAILED$/)})
    await killSupervisorInCall('paused')
    tellToEnd(pid)
    await pausing
    await container.delete({force: true})
  })
})

describe('a create whose coordinator dies before it answers', () => {
  it('is carried out once, and answered by the next coordinator', async () => {
    await using own = await startNode()
    await using asking = await connectTally({runDir: own.runDir})
    const creating = asking.create({rootfs: own.rootfs, args: ['sleep', '600'], runtime: {binary: writeSlow(own.dir, 'made', 'create')}})
    await isCalled(own.dir, 'made')
    killNode(await own.info())
    expect(await own.tally('up', '-d')).toMatchObject({exitCode: 0})
    const {id, state} = await creating
    expect(state).toBe('created')
    expect((await own.events(id)).filter(({type}) => type === 'container.create-requested')).toHaveLength(1)
    await asking.container(id).delete()
  })
})

describe('a create that is retried while the coordinator carries it out', () => {
  it('is answered when it is done, and carried out once', async () => {
    await eventually('a supervisor is ready', () => findReadySupervisor(node) !== undefined)
    const ready = findReadySupervisor(node)
    sendSignal(ready, 'SIGSTOP')
    const creating = client.create({id: 'late', rootfs: node.rootfs, args: ['true']})
    // Longer than the client waits before it retries.
    await sleep(6_500)
    sendSignal(ready, 'SIGCONT')
    expect((await creating).state).toBe('created')
    expect(await count('late', 'container.create-requested')).toBe(1)
    await client.container('late').delete()
  })

  it('is refused to another caller with that id', async () => {
    await client.create({id: 'taken', rootfs: node.rootfs, args: ['true']})
    await expect(client.create({id: 'taken', rootfs: node.rootfs, args: ['true']})).rejects.toMatchObject({code: 'CONTAINER_EXISTS'})
    await client.container('taken').delete()
  })
})

it('a create whose supervisor dies fails when what there was of it has gone, and its id is free', async () => {
  const creating = expect(make('orphaned', 'create')).rejects.toMatchObject({code: 'SUPERVISOR_FAILED'})
  await killSupervisorInCall('orphaned')
  await creating
  await make('orphaned', 'none')
  await client.container('orphaned').delete()
})

it('a wait for an end is answered by the next supervisor', async () => {
  const container = await make('ending', 'none', `${untilTold}; exit 6`)
  await container.start()
  const waiting = container.wait()
  const {supervisorPid, pid} = await container.state()
  sendSignal(supervisorPid, 'SIGKILL')
  tellToEnd(pid)
  expect((await waiting).exit).toEqual({type: 'code', code: 6})
  await container.delete()
})
