import {describe, expect, it} from 'vitest'
import {silentLogger} from '../../../../src/kernel/log.ts'
import type {ExitRecord} from '../../../../src/shim/client/exit-record.ts'
import {ShimError} from '../../../../src/shim/client/calls.ts'
import {orphanModes, type RequestName} from '../../../../src/shim/client/frames.ts'
import {createChildren} from '../../../../src/supervisor/shim/children.ts'
import {createNews} from '../../../../src/supervisor/shim/news.ts'
import {settle} from '../loop/loop-fixture.ts'

const toExit = (pid: number, startTicks: number, code = 7): ExitRecord => ({
  pid,
  startTicks,
  status: {type: 'code', code},
  usage: {userMs: 1, systemMs: 2, maxRssBytes: 3},
  seenAtMs: 1_000,
  seenBootMs: 10,
})

interface FakeProcess {
  readonly startTicks: number
  readonly isStranger: boolean
}

/** Answers as a shim does that is the parent of some processes and sees others; what it tells comes in the turn of the reply before. */
function open(processes: Readonly<Record<number, FakeProcess>> = {}, {orphans = orphanModes.reap as number} = {}) {
  const exits = createNews<ExitRecord>()
  const asked: string[] = []
  const afterReply: (() => void)[] = []
  const call = async (name: RequestName, fields: Record<string, unknown>) => {
    const {pid, isStranger, mode} = fields
    asked.push(name === 'orphans' ? `orphans ${String(mode)}` : `${name} ${String(pid)}`)
    const found = typeof pid === 'number' ? processes[pid] : undefined
    if (name === 'watch' && found?.isStranger !== isStranger) throw new ShimError('ECHILD', 'no child')
    for (const tell of afterReply.splice(0)) queueMicrotask(tell)
    return {startTicks: found?.startTicks}
  }
  const shim = {held: {orphans, children: [], stdios: []}, call, exits}
  const children = createChildren({shim: shim as unknown as Parameters<typeof createChildren>[0]['shim'], logger: silentLogger})
  const reported: ExitRecord[] = []
  const onExit = async (exit: ExitRecord) => void reported.push(exit)
  /** Without two requests for one watch. */
  const log = () => asked.filter((line, index) => line !== asked[index - 1])
  return {children, exits, log, afterReply, reported, onExit}
}

const own = (startTicks: number) => ({startTicks, isStranger: false})

describe('a process of the container', () => {
  it('is reported once when it has ended, and reaped when its exit is journaled', async () => {
    const {children, exits, log, reported} = open({5: own(50)})
    const {promise: journaled, resolve} = Promise.withResolvers<void>()
    const onExit = async (exit: ExitRecord) => {
      reported.push(exit)
      await journaled
    }
    expect(await children.watch({pid: 5, startTimeTicks: 50}, onExit)).toBe(true)
    exits.tell(toExit(5, 50))
    await settle()
    expect([reported, log()]).toEqual([[toExit(5, 50)], ['watch 5']])
    resolve()
    await settle()
    expect(log()).toEqual(['watch 5', 'reap 5'])
  })

  it('is reported when it ends in the moment in which it is watched', async () => {
    const {children, exits, reported, onExit, afterReply} = open({5: own(50)})
    afterReply.push(() => exits.tell(toExit(5, 50)))
    expect(await children.watch({pid: 5, startTimeTicks: 50}, onExit)).toBe(true)
    await settle()
    expect(reported).toEqual([toExit(5, 50)])
  })

  it('that is gone is not watched, and the exit of another with its pid is not taken for its own', async () => {
    const {children, exits, reported, onExit, afterReply, log} = open({5: own(99)})
    children.settle()
    expect(await children.watch({pid: 6, startTimeTicks: 60}, onExit)).toBe(false)
    afterReply.push(() => exits.tell(toExit(5, 99)))
    expect(await children.watch({pid: 5, startTimeTicks: 50}, onExit)).toBe(false)
    exits.tell(toExit(5, 99))
    await settle()
    expect(reported).toEqual([])
    expect(log().slice(0, 2)).toEqual(['watch 6', 'watch 5'])
    expect(log()).toContain('reap 5')
  })

  it('of another parent is reported without its status', async () => {
    const {children, exits, reported, onExit} = open({5: {startTicks: 50, isStranger: true}})
    expect(await children.watch({pid: 5, startTimeTicks: 50}, onExit)).toBe(true)
    const end = {...toExit(5, 50), status: undefined}
    exits.tell(end)
    await settle()
    expect(reported).toEqual([end])
  })
})

describe('what a former supervisor has left', () => {
  it('is reported to whoever asks for it later', async () => {
    const {children, exits, reported, onExit, log} = open()
    exits.tell(toExit(5, 50))
    expect(await children.watch({pid: 5, startTimeTicks: 50}, onExit)).toBe(true)
    await settle()
    expect([reported, log()]).toEqual([[toExit(5, 50)], ['reap 5']])
    children.settle()
    expect(log()).toEqual(['reap 5'])
  })

  it('and nobody asks for is reaped once all is taken over, and at once after that', async () => {
    const {children, exits, log} = open()
    exits.tell(toExit(5, 50))
    expect(log()).toEqual([])
    children.settle()
    expect(log()).toEqual(['reap 5'])
    exits.tell(toExit(6, 60))
    expect(log()).toEqual(['reap 5', 'reap 6'])
  })

  it('with the pid of another process is not its end', async () => {
    const {children, exits, reported, onExit} = open({5: own(51)})
    exits.tell(toExit(5, 50))
    expect(await children.watch({pid: 5, startTimeTicks: 51}, onExit)).toBe(true)
    exits.tell(toExit(5, 51, 3))
    await settle()
    expect(reported).toEqual([toExit(5, 51, 3)])
  })

  it('of held orphans is let go', () => {
    const {children, log} = open({}, {orphans: orphanModes.hold})
    children.settle()
    expect(log()).toEqual(['orphans 0'])
  })
})

describe('orphans', () => {
  it('are held from the first call of the runtime to the end of the last', async () => {
    const {children, log} = open()
    const first = await children.holdOrphans()
    const second = await children.holdOrphans()
    first[Symbol.dispose]()
    expect(log()).toEqual(['orphans 1'])
    second[Symbol.dispose]()
    expect(log()).toEqual(['orphans 1', 'orphans 0'])
    const third = await children.holdOrphans()
    third[Symbol.dispose]()
    expect(log()).toEqual(['orphans 1', 'orphans 0', 'orphans 1', 'orphans 0'])
  })

  it('are held on when a former supervisor has held them, and a call is under way', async () => {
    const {children, log} = open({}, {orphans: orphanModes.hold})
    const hold = await children.holdOrphans()
    children.settle()
    expect(log()).toEqual(['orphans 1'])
    hold[Symbol.dispose]()
    expect(log()).toEqual(['orphans 1', 'orphans 0'])
  })
})

describe('news', () => {
  it('waits for its first listener, and comes to each', () => {
    const news = createNews<number>()
    const heard: string[] = []
    news.tell(1)
    news.tell(2)
    news.listen((one) => heard.push(`a${one}`))
    news.listen((one) => heard.push(`b${one}`))
    news.tell(3)
    expect(heard).toEqual(['a1', 'a2', 'a3', 'b3'])
  })
})
