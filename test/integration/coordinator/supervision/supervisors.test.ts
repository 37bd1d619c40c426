import {existsSync} from 'node:fs'
import {join, resolve} from 'node:path'
import {expect, it} from 'vitest'
import {createShims} from '../../../../src/coordinator/supervision/shims.ts'
import {createSupervisors} from '../../../../src/coordinator/supervision/supervisors.ts'
import {createSystemClock} from '../../../../src/kernel/clock.ts'
import {silentLogger} from '../../../../src/kernel/log.ts'
import {toContainerLayout} from '../../../../src/layout/container-layout.ts'
import {readProcessStat} from '../../../../src/linux/process-table.ts'
import {connectShimControl} from '../../../../src/shim/client/control.ts'
import {expectNothingLeft} from '../../../support/leaks.ts'
import {listBelow, shimProgram} from '../../../support/shim-harness.ts'
import {makeTempDir} from '../../../support/temp-dir.ts'

const soon = {interval: 10, timeout: 10_000}
const fixture = resolve(import.meta.dirname, '../../../fixtures/programs/play-supervisor.ts')

/** The coordinator's side, with real shims, whose supervisors are a small program. */
function openNode(dir: string, program = fixture) {
  const directories = {stateDir: join(dir, 'state'), runDir: join(dir, 'run')}
  const ended: string[] = []
  const supervisors = createSupervisors({
    ...{program, shimProgram, logFile: join(dir, 'log'), logger: silentLogger},
    options: {...directories, runtime: 'runc'},
    onReady: () => {},
  })
  supervisors.onEnd(({id}) => ended.push(id))
  const names = [{namespace: 'default', id: 'web'}]
  const shims = createShims({
    listContainers: () => names,
    connect: (name, options) => connectShimControl(toContainerLayout(directories, name, '').shimSocket, options),
    clock: createSystemClock(),
    logger: silentLogger,
  })
  const lost: string[] = []
  shims.onEnd(({id}) => lost.push(id))
  const assign = async (id: string): Promise<number> => {
    const view = await supervisors.assign({node: 'n1', namespace: 'default', id, uid: 'u1', work: {type: 'recover', exits: []}})
    return Number(Object(view).supervisorPid)
  }
  return {
    supervisors,
    shims,
    ended,
    lost,
    assign,
    [Symbol.asyncDispose]: async () => {
      supervisors.close()
      shims[Symbol.dispose]()
      await expectNothingLeft({dir})
    },
  }
}

const web = {namespace: 'default', id: 'web'}

it('a container is handed to a supervisor, whose shim is found, and starts the next one', async () => {
  await using dir = makeTempDir()
  await using node = openNode(dir.path)
  node.supervisors.prepare()
  const supervisor = await node.assign('web')
  const shim = readProcessStat(supervisor)?.parentPid ?? 0
  await node.shims.refresh()
  await expect.poll(() => node.shims.status(web), soon).toMatchObject({phase: 'up', pid: supervisor, deaths: 0})
  process.kill(supervisor, 'SIGKILL')
  await expect.poll(() => node.shims.status(web), soon).toMatchObject({phase: 'up', deaths: 1, starts: 2})
  expect([node.supervisors.isAssigned(web), node.shims.has(web), node.ended]).toEqual([true, true, []])
  const [next = 0] = listBelow(shim)
  process.kill(shim, 'SIGKILL')
  await expect.poll(() => [node.ended, node.lost], soon).toEqual([['web'], ['web']])
  expect([node.supervisors.isAssigned(web), node.shims.has(web)]).toEqual([false, false])
  await expect.poll(() => existsSync(`/proc/${next}`), soon).toBe(false)
})

it.each(['dies', 'refuses'])('one that %s is answered for, and its shim ends', async (id) => {
  await using dir = makeTempDir()
  await using node = openNode(dir.path)
  await expect(node.assign(id)).rejects.toMatchObject({code: 'SUPERVISOR_FAILED'})
  await expect.poll(() => node.ended, soon).toEqual([id])
})

it('one that dies before it has work is replaced', async () => {
  await using dir = makeTempDir()
  await using node = openNode(dir.path)
  node.supervisors.prepare()
  const find = () => listBelow(process.pid).find((pid) => readProcessStat(pid)?.parentPid !== process.pid)
  await expect.poll(find, soon).toBeDefined()
  const shim = readProcessStat(find() ?? 0)?.parentPid ?? 0
  process.kill(find() ?? 0, 'SIGKILL')
  await expect.poll(() => existsSync(`/proc/${shim}`), soon).toBe(false)
  await expect.poll(find, soon).toBeDefined()
  const supervisor = await node.assign('web')
  process.kill(readProcessStat(supervisor)?.parentPid ?? 0, 'SIGKILL')
  await expect.poll(() => node.ended, soon).toEqual(['web'])
})

it('one that cannot be started is answered for in the end', async () => {
  await using dir = makeTempDir()
  await using node = openNode(dir.path, '/nonexistent/supervisor.js')
  await expect(node.assign('web')).rejects.toMatchObject({code: 'SUPERVISOR_FAILED'})
}, 60_000)
