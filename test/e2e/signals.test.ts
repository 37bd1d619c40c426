/** A signal to the command line, at any instant of a verb that makes something: nothing is left, or its id was printed. */
import {existsSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {beforeAll, describe, expect, it} from 'vitest'
import {eventually, startNode, useNode} from '../support/tally-node.ts'

/** Of each verb; `npm test` has time for a few. */
const rounds = Number(process.env['TALLY_SIGNAL_ROUNDS'] ?? 8)
/** A little more than a verb takes on a machine that is busy. */
const longestMs = Number(process.env['TALLY_SIGNAL_WITHIN_MS'] ?? 600)
const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const
const numbers = {SIGTERM: 143, SIGINT: 130, SIGHUP: 129} as const

const node = useNode()
beforeAll(async () => {
  expect(await node.tally('run', '-d', '--name', 'box', '--pid', 'host', '--rootfs', node.rootfs, 'sleep', '6000')).toMatchObject({
    exitCode: 0,
  })
})

/** Spread over the verb, and a little by chance. */
const instants = Array.from({length: rounds}, (_, index) => ({
  signal: signals[index % signals.length] ?? 'SIGTERM',
  afterMs: Math.round(((index + Math.random()) * longestMs) / rounds),
}))

async function interrupt(signal: keyof typeof numbers, afterMs: number, ...args: readonly string[]) {
  const child = node.spawn(...args)
  await sleep(afterMs)
  child.kill(signal)
  const {exitCode, signal: endedBy, stdout, stderr} = await child
  return {status: endedBy === undefined ? exitCode : numbers[signal], endedBy, stdout: String(stdout), stderr: String(stderr)}
}

const listIds = async () => (await node.json<readonly {readonly id: string}[]>('ps', '-a')).map(({id}) => id).filter((id) => id !== 'box')
const listExecs = async () => (await node.json<readonly {readonly exec: string}[]>('execs', 'box')).map(({exec}) => exec)

/** In the host's pid namespace, where no program is spared what it does not handle. */
const options = () => ['--pid', 'host', '--rootfs', node.rootfs]

describe('a signal', () => {
  it.each(instants)('$signal to run, $afterMs ms after its start, ends its container as well', async ({signal, afterMs}) => {
    const {status, stderr} = await interrupt(signal, afterMs, 'run', '--rm', ...options(), 'sleep', '6000')
    expect([status, stderr]).toEqual([numbers[signal], expect.stringMatching(/^$|^tally: ended by SIG\w+ before .* \[CANCELLED\]$/)])
    await eventually('nothing is left', async () => (await listIds()).length === 0)
  })

  it.each(instants)(
    '$signal to run without --rm, $afterMs ms after its start, leaves none that was never started',
    async ({signal, afterMs}) => {
      const {status} = await interrupt(signal, afterMs, 'run', '--name', 'kept', ...options(), 'sleep', '6000')
      expect(status).toBe(numbers[signal])
      const ids = await listIds()
      if (ids.length === 0) return
      expect((await node.events('kept')).map(({type}) => type)).toContain('container.started')
      expect(await node.tally('wait', 'kept')).toMatchObject({stdout: `${numbers[signal]}\n`})
      expect(await node.tally('rm', 'kept')).toMatchObject({exitCode: 0})
    },
  )

  it.each(instants)(
    '$signal to create, run -d and exec -d, $afterMs ms after the start: what there is was printed',
    async ({signal, afterMs}) => {
      for (const args of [
        ['create', ...options(), 'sleep', '6000'],
        ['run', '-d', ...options(), 'sleep', '6000'],
      ]) {
        const {status, stdout} = await interrupt(signal, afterMs, ...args)
        expect([0, numbers[signal]]).toContain(status)
        expect(await listIds()).toEqual(stdout === '' ? [] : [stdout])
        expect(status === 0).toBe(stdout !== '')
        if (stdout !== '') expect(await node.tally('rm', '-f', stdout)).toMatchObject({exitCode: 0})
      }
      const {status, stdout} = await interrupt(signal, afterMs, 'exec', '-d', 'box', 'sleep', '6000')
      expect(status === 0).toBe(stdout !== '')
      await eventually('removed', async () => (await listExecs()).join() === stdout)
      if (stdout !== '') expect(await node.tally('kill', '-s', 'KILL', '--exec', stdout, 'box')).toMatchObject({exitCode: 0})
      await eventually('removed', async () => (await listExecs()).length === 0)
    },
  )

  it.each(instants)('$signal to exec, $afterMs ms after its start, ends its process as well', async ({signal, afterMs}) => {
    const {status} = await interrupt(signal, afterMs, 'exec', 'box', 'sleep', '6000')
    expect(status).toBe(numbers[signal])
    await eventually('nothing is left', async () => (await listExecs()).length === 0)
  })

  it.each(instants.slice(0, Math.ceil(rounds / 4)))(
    '$signal to up -d, $afterMs ms after its start, leaves no coordinator',
    async ({signal, afterMs}) => {
      await using other = await startNode({up: false})
      const child = other.spawn('up', '-d')
      await sleep(afterMs)
      child.kill(signal)
      const {exitCode, signal: endedBy} = await child
      if (exitCode === 0 && endedBy === undefined) {
        expect(await other.tally('down')).toMatchObject({exitCode: 0})
      } else {
        expect(endedBy ?? exitCode).toBe(endedBy === undefined ? numbers[signal] : signal)
        expect((await other.tally('ps')).stderr).toMatch(/\[NODE_NOT_RUNNING\]/)
      }
    },
  )

  it('a signal to up -d while the coordinator begins waits until it has ended', async () => {
    await using other = await startNode({up: false})
    const child = other.spawn('up', '-d')
    await eventually('begun', () => existsSync(join(other.stateDir, 'coordinator.log')))
    child.kill('SIGINT')
    const {exitCode, stderr} = await child
    expect({exitCode, stderr}).toEqual({
      exitCode: 130,
      stderr: 'tally: ended by SIGINT before it was done; nothing is left of it [CANCELLED]',
    })
  })
})
