import {afterEach, beforeEach, expect, it, vi} from 'vitest'
import {holdOutput} from '../../../src/client/hold-output.ts'
import type {OutputOptions, ProcessClient} from '../../../src/client/types.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A process whose replies come when the test says so. */
function createProcess() {
  const asked: OutputOptions[] = []
  const replies: PromiseWithResolvers<void>[] = []
  const output: ProcessClient['output'] = async (_stream, offset, options = {}) => {
    asked.push(options)
    const reply = Promise.withResolvers<void>()
    replies.push(reply)
    await reply.promise
    return {offset, data: '', total: 0, ended: false}
  }
  const answer = async () => {
    replies.shift()?.resolve()
    await vi.advanceTimersByTimeAsync(0)
  }
  return {process: {output} as unknown as ProcessClient, asked, answer}
}

async function open() {
  const made = createProcess()
  const got = {stdout: 0, stderr: 0}
  const taking = holdOutput(made.process, () => ({...got}))
  await made.answer()
  made.asked.length = 0
  return {...made, got, hold: await taking}
}

it('reports how far its reader is, once for all that was read within 20 ms', async () => {
  const {hold, got, asked, answer} = await open()
  for (got.stdout = 1; got.stdout < 5; got.stdout += 1) hold.tell()
  await vi.advanceTimersByTimeAsync(20)
  await answer()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(asked).toEqual([{holdMs: 30_000, limitBytes: 1, holdFrom: {stdout: 5, stderr: 0}}])
})

it('reports also what was read while a report was on its way: a process that waits for it goes on', async () => {
  const {hold, got, asked, answer} = await open()
  got.stdout = 10
  hold.tell()
  await vi.advanceTimersByTimeAsync(20)
  got.stdout = 20
  hold.tell()
  await answer()
  await vi.advanceTimersByTimeAsync(20)
  expect(asked.map(({holdFrom}) => holdFrom?.stdout)).toEqual([10, 20])
})

it('reports nothing after it was let go', async () => {
  const {hold, asked, answer} = await open()
  hold.tell()
  const disposed = hold[Symbol.asyncDispose]()
  await answer()
  await disposed
  hold.tell()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(asked.map(({holdMs}) => holdMs)).toEqual([0])
})
