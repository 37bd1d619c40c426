import {describe, expect, it} from 'vitest'
import {adoptionPatienceMs, type Finding, judgeAbsence, notAbsent} from '../../../src/client/absence.ts'
import {
  afterAttempt,
  afterConnection,
  afterSearch,
  type Asking,
  begin,
  type Progress,
  toPollMs,
  toTimeoutMs,
} from '../../../src/client/asking.ts'
import {TallyError} from '../../../src/kernel/errors.ts'

const timedOut = {type: 'timed out', error: new TallyError('TIMED_OUT', 'no answer', {details: {subject: 's'}})} as const
const lost = {type: 'connection lost', error: new TallyError('NATS_UNREACHABLE', 'lost')} as const
const surroundings = {nowMs: 0, isRecent: false, isKnown: false, isCluster: false}

function toProgress(asking: Asking<unknown>): Progress {
  if (!('progress' in asking)) throw new Error(`expected a request that goes on, got ${asking.type}`)
  return asking.progress
}

const begun = toProgress(begin({patienceMs: 60_000}, 0))

describe('a request', () => {
  it('waits 1 s for the first answer, 2 s for the next and then 5 s, and never beyond its deadline', () => {
    expect([0, 1, 2, 3, 9].map((attempts) => toTimeoutMs({...begun, attempts}, 0))).toEqual([1_000, 2_000, 5_000, 5_000, 5_000])
    expect(toTimeoutMs({...begun, attempts: 3}, 58_000)).toBe(2_000)
    expect(toTimeoutMs({...begun, attempts: 3}, 60_000)).toBe(1)
  })

  it('is answered by its reply', () => {
    expect(afterAttempt(begun, {type: 'answered', reply: 'view'}, 10)).toEqual({type: 'answered', reply: 'view'})
  })

  it('is retried when no answer came in time, and given up at its deadline', () => {
    const retried = afterAttempt(begun, timedOut, 1_000)
    expect(retried).toMatchObject({type: 'asking', progress: {attempts: 1, deadlineMs: 60_000}})
    expect(afterAttempt(toProgress(retried), timedOut, 60_000)).toMatchObject({
      type: 'given up',
      error: {code: 'TIMED_OUT', message: 'no answer within 60000 ms', details: {subject: 's', timeoutMs: 60_000}},
    })
  })

  it('waits for a connection when that was lost, unless it is to be sent once', () => {
    const waiting = afterAttempt(begun, lost, 10)
    expect(waiting.type).toBe('waiting for a connection')
    expect(afterConnection(toProgress(waiting), undefined).type).toBe('asking')
    expect(afterConnection(toProgress(waiting), lost.error)).toEqual({type: 'given up', error: lost.error})
    const once = toProgress(begin({patienceMs: 60_000, once: true}, 0))
    expect(afterAttempt(once, lost, 10)).toEqual({type: 'given up', error: lost.error})
  })

  it('is given up with the error of its reply', () => {
    const error = new TallyError('ILLEGAL_COMMAND', 'no')
    expect(afterAttempt(begun, {type: 'failed', error}, 10)).toEqual({type: 'given up', error})
  })

  it('that nobody listens to is sent again after a pause that grows to a second', () => {
    expect([1, 2, 3, 20].map((attempts) => toPollMs({...begun, attempts}))).toEqual([100, 150, 225, 1_000])
  })

  it('that nobody listens to ends with what the search has found', () => {
    const unheard = afterAttempt(begun, {type: 'nobody listens'}, 10)
    expect(unheard.type).toBe('nobody listens')
    expect(afterSearch(toProgress(unheard), {type: 'answered', reply: 'deleted'}, surroundings)).toEqual({
      type: 'answered',
      reply: 'deleted',
    })
    const error = new TallyError('CONTAINER_NOT_FOUND', 'no')
    expect(afterSearch(toProgress(unheard), {type: 'no container', error}, surroundings)).toEqual({type: 'given up', error})
    const waiting = afterSearch(toProgress(unheard), {type: 'no supervisor', isForGood: false, error}, surroundings)
    expect(waiting).toMatchObject({type: 'waiting for a supervisor or coordinator', progress: {attempts: 1}})
  })
})

describe('the judgement of an absence', () => {
  const error = new TallyError('NODE_NOT_RUNNING', 'no')
  const noCoordinator = {type: 'no coordinator', outlook: 'unknown', error} as const satisfies Finding<never>
  const nobody = {type: 'nobody', outlook: 'unknown', error} as const satisfies Finding<never>
  const noSupervisor = {type: 'no supervisor', isForGood: false, error} as const
  const around = {...surroundings, wasHeard: false}

  it('of a coordinator that never answered is over at once', () => {
    expect(judgeAbsence(notAbsent, noCoordinator, around)).toBe('over')
  })

  it('of a coordinator that took an earlier attempt is over after 30 s', () => {
    const absence = judgeAbsence(notAbsent, noCoordinator, {...around, wasHeard: true})
    if (absence === 'over') throw new Error('over')
    expect(judgeAbsence(absence, noCoordinator, {...around, wasHeard: true, nowMs: adoptionPatienceMs - 1})).toEqual(absence)
    expect(judgeAbsence(absence, noCoordinator, {...around, wasHeard: true, nowMs: adoptionPatienceMs})).toBe('over')
  })

  it('of a coordinator that is about to be started again is over after 30 s, at once when it is given up', () => {
    for (const finding of [noCoordinator, nobody]) {
      const starting = {...finding, outlook: 'starting'} as const
      const absence = judgeAbsence(notAbsent, starting, around)
      if (absence === 'over') throw new Error('over')
      expect(judgeAbsence(absence, starting, {...around, nowMs: adoptionPatienceMs - 1})).toEqual(absence)
      expect(judgeAbsence(absence, starting, {...around, nowMs: adoptionPatienceMs})).toBe('over')
      for (const wasHeard of [false, true])
        expect(judgeAbsence(absence, {...finding, outlook: 'given up'}, {...around, wasHeard})).toBe('over')
    }
  })

  it('of a coordinator whose parent ends meanwhile is over 3 s later', () => {
    const absence = judgeAbsence(notAbsent, {...noCoordinator, outlook: 'starting'}, around)
    if (absence === 'over') throw new Error('over')
    const alone = judgeAbsence(absence, noCoordinator, {...around, nowMs: 1_000})
    if (alone === 'over') throw new Error('over')
    expect(judgeAbsence(alone, noCoordinator, {...around, nowMs: 3_999})).toEqual(alone)
    expect(judgeAbsence(alone, noCoordinator, {...around, nowMs: 4_000})).toBe('over')
  })

  it('of a coordinator in a cluster is over after 3 s', () => {
    const absence = judgeAbsence(notAbsent, noCoordinator, {...around, isCluster: true})
    if (absence === 'over') throw new Error('over')
    expect(judgeAbsence(absence, noCoordinator, {...around, nowMs: 2_999})).toEqual(absence)
    expect(judgeAbsence(absence, noCoordinator, {...around, nowMs: 3_000})).toBe('over')
  })

  it('of all who could answer for a container that is there is over after 3 s, after 30 s if it has answered before', () => {
    for (const [isKnown, patienceMs] of [
      [false, 3_000],
      [true, adoptionPatienceMs],
    ] as const) {
      const absence = judgeAbsence(notAbsent, nobody, {...around, isKnown})
      if (absence === 'over') throw new Error('over')
      expect(judgeAbsence(absence, nobody, {...around, isKnown, nowMs: patienceMs - 1})).toEqual(absence)
      expect(judgeAbsence(absence, nobody, {...around, isKnown, nowMs: patienceMs})).toBe('over')
    }
  })

  it('is not over while the connection has just come back', () => {
    expect(judgeAbsence(notAbsent, noCoordinator, {...around, isRecent: true})).not.toBe('over')
    expect(judgeAbsence(notAbsent, {type: 'no container', error}, {...around, isRecent: true})).not.toBe('over')
    expect(judgeAbsence(notAbsent, {type: 'no container', error}, around)).toBe('over')
  })

  it('of a supervisor is over when no other took over within 30 s, or none will', () => {
    const absence = judgeAbsence(notAbsent, noSupervisor, around)
    expect(absence).toEqual({...notAbsent, supervisor: {type: 'vacant', sinceMs: 0}})
    if (absence === 'over') throw new Error('over')
    expect(judgeAbsence(absence, noSupervisor, {...around, nowMs: adoptionPatienceMs})).toEqual(absence)
    expect(judgeAbsence(absence, noSupervisor, {...around, nowMs: adoptionPatienceMs + 1})).toBe('over')
    expect(judgeAbsence(notAbsent, {...noSupervisor, isForGood: true}, around)).toBe('over')
  })
})
