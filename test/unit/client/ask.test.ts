import {expect, it} from 'vitest'
import type {Finding} from '../../../src/client/absence.ts'
import {type Attempt, ask} from '../../../src/client/ask.ts'
import type {Patience} from '../../../src/client/asking.ts'
import {TallyError} from '../../../src/kernel/errors.ts'
import {createFakeClock} from '../../support/fake-clock.ts'

type Reply = 'no answer' | 'nobody listens' | TallyError | {readonly view: string}

interface Wanted {
  /** What each attempt comes to; the last stands for those after it as well. */
  readonly replies: readonly Reply[]
  readonly finding?: Finding<string>
  readonly patience?: Patience
  /** When the connection is lost: whether it comes back. */
  readonly comesBack?: boolean
}

function start({replies, finding, patience = {patienceMs: 60_000}, comesBack = true}: Wanted) {
  const clock = createFakeClock(0)
  const attempts: (Attempt & {readonly atMs: number})[] = []
  const lost = new TallyError('NATS_UNREACHABLE', 'lost')
  let isClosed = false
  const connection = {
    present: {isClosed: () => isClosed},
    isRecent: false,
    back: async () => {
      if (!comesBack) throw lost
      isClosed = false
    },
  }
  const send = async (attempt: Attempt): Promise<string | undefined> => {
    const reply = replies[Math.min(attempts.length, replies.length - 1)] ?? 'no answer'
    attempts.push({...attempt, atMs: clock.elapsed()})
    if (reply === 'nobody listens') return undefined
    if (reply === 'no answer') {
      await clock.sleep(attempt.timeoutMs)
      throw new TallyError('TIMED_OUT', 'no answer')
    }
    if (!(reply instanceof TallyError)) return reply.view
    isClosed = reply.code === 'NATS_UNREACHABLE'
    throw reply
  }
  const search = async () =>
    finding ?? {type: 'no coordinator' as const, outlook: 'unknown' as const, error: new TallyError('NODE_NOT_RUNNING', 'no node')}
  const answer = ask({connection, clock, isCluster: false}, {send, search, patience})
  answer.catch(() => {})
  return {answer, attempts, run, sentAt: () => attempts.map(({atMs}) => atMs)}

  /** Moves the clock on in steps, so that what is awaited in between can go on. */
  async function run(ms: number, stepMs = 50): Promise<void> {
    for (let moved = 0; moved <= ms; moved += stepMs) {
      await new Promise((resolve) => setImmediate(resolve))
      if (moved < ms) clock.advance(stepMs)
    }
  }
}

it('sends a request once when it is answered', async () => {
  const {answer, attempts} = start({replies: [{view: 'web'}]})
  expect(await answer).toBe('web')
  expect(attempts).toMatchObject([{isRetry: false, timeoutMs: 1_000}])
})

it('retries under the same correlation id after 1 s, 2 s more and then every 5 s', async () => {
  const {answer, attempts, run, sentAt} = start({replies: ['no answer', 'no answer', 'no answer', {view: 'web'}]})
  await run(8_000)
  expect(await answer).toBe('web')
  expect(sentAt()).toEqual([0, 1_000, 3_000, 8_000])
  expect(attempts.map(({isRetry}) => isRetry)).toEqual([false, true, true, true])
  expect(new Set(attempts.map(({correlationId}) => correlationId)).size).toBe(1)
})

it('is given up at its deadline', async () => {
  const {answer, run, sentAt} = start({replies: ['no answer'], patience: {patienceMs: 6_000}})
  await run(6_000)
  await expect(answer).rejects.toMatchObject({code: 'TIMED_OUT', message: 'no answer within 6000 ms'})
  expect(sentAt()).toEqual([0, 1_000, 3_000])
})

it('retries over another connection when the first was lost', async () => {
  const {answer, attempts} = start({replies: [new TallyError('NATS_UNREACHABLE', 'lost'), {view: 'web'}]})
  expect(await answer).toBe('web')
  expect(attempts.map(({isRetry}) => isRetry)).toEqual([false, true])
})

it('is given up when the connection does not come back', async () => {
  const {answer, attempts} = start({replies: [new TallyError('NATS_UNREACHABLE', 'lost')], comesBack: false})
  await expect(answer).rejects.toMatchObject({code: 'NATS_UNREACHABLE'})
  expect(attempts).toHaveLength(1)
})

it('does not retry what was rejected', async () => {
  const {answer, attempts} = start({replies: [new TallyError('ILLEGAL_COMMAND', 'no')]})
  await expect(answer).rejects.toMatchObject({code: 'ILLEGAL_COMMAND'})
  expect(attempts).toHaveLength(1)
})

it('is given up at once when there is no node', async () => {
  const {answer, attempts} = start({replies: ['nobody listens']})
  await expect(answer).rejects.toMatchObject({code: 'NODE_NOT_RUNNING'})
  expect(attempts).toHaveLength(1)
})

it('waits for the next supervisor, and then sends the request again', async () => {
  const error = new TallyError('SUPERVISOR_FAILED', 'gone')
  const {answer, run, sentAt} = start({
    replies: ['no answer', 'nobody listens', 'nobody listens', {view: 'web'}],
    finding: {type: 'no supervisor', isForGood: false, error},
  })
  await run(3_000)
  expect(await answer).toBe('web')
  // After the second attempt 150 ms, after the third 225.
  expect(sentAt()).toEqual([0, 1_000, 1_150, 1_400])
})

it('gives a supervisor up that does not come within 30 s', async () => {
  const error = new TallyError('SUPERVISOR_FAILED', 'gone')
  const {answer, run} = start({replies: ['nobody listens'], finding: {type: 'no supervisor', isForGood: false, error}})
  await run(32_000, 500)
  await expect(answer).rejects.toBe(error)
})

it('takes the answer from the stream when the container is gone', async () => {
  const {answer} = start({replies: ['nobody listens'], finding: {type: 'answered', reply: 'deleted'}})
  expect(await answer).toBe('deleted')
})
