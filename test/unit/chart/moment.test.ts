import {describe, expect, it} from 'vitest'
import {setup} from 'xstate'
import {applyEvent, emptyLedger} from '../../../machines/ledger/ledger.ts'
import {parseGuard, toGuardText, toPaths, toShortGuardText} from '../../../src/chart/guard.ts'
import {chartedMachines, isOfProcess} from '../../../src/chart/machines.ts'
import {toChartModel} from '../../../src/chart/model.ts'
import {foldMachine, toActiveStates, toFirstMoment, toMarks, toPossibleTransitions} from '../../../src/chart/moment.ts'
import {execs, readGolden, started, wholeLife} from './journals.ts'

const {container, process, supervisor} = chartedMachines

describe('a moment of a container', () => {
  it('equals the state of its ledger after every event', () => {
    for (const events of [
      wholeLife,
      execs,
      readGolden('0.1.0/stopping.jsonl'),
      readGolden('0.4.0/gave-up.jsonl'),
      readGolden('0.4.0/healthy.jsonl'),
      readGolden('0.4.0/restarts-gave-up.jsonl'),
      readGolden('0.4.0/restart-cancelled.jsonl'),
    ]) {
      let ledger = emptyLedger
      for (const [index, event] of events.entries()) {
        const {possible} = toMarks(container, foldMachine(container, events.slice(0, index)))
        ;({ledger} = applyEvent(ledger, event))
        const marks = toMarks(container, foldMachine(container, events.slice(0, index + 1)))
        expect([...marks.active]).toEqual(toActiveStates(ledger.snapshot.value))
        expect(marks.last.size).toBeGreaterThan(0)
        // The transition was possible before the event.
        expect([...possible]).toEqual(expect.arrayContaining([...marks.last]))
      }
    }
  })

  it('highlights all regions of a parallel state', () => {
    const {active, last} = toMarks(container, foldMachine(container, started))
    expect([...active]).toContain('running.execution.active')
    expect([...active]).toContain('running.stop.none')
    expect([...last]).toEqual([expect.stringMatching(/^starting container\.started#\d$/)])
  })

  it('treats a transition as possible when its guard cannot be evaluated', () => {
    const machine = setup({guards: {isLate: ({event}) => event['data'].dueAt.length > 0}}).createMachine({
      id: 'm',
      initial: 'a',
      states: {a: {on: {later: {guard: 'isLate', target: 'b'}}}, b: {on: {later: 'a'}}},
    })
    expect(toPossibleTransitions(machine, toFirstMoment(machine).snapshot)).toEqual(['a later#0'])
  })

  it('has no possible transition in the final state', () => {
    const deleted = foldMachine(container, wholeLife)
    expect(deleted.snapshot.status).toBe('done')
    expect(toMarks(container, deleted).possible.size).toBe(0)
  })
})

describe('a moment of an added process', () => {
  it('is folded from its own events, and starts again when the id is reused', () => {
    const ids = [...new Set(execs.flatMap((event) => ('exec' in event.data ? event.data.exec : [])))]
    for (const id of ids) {
      const moment = foldMachine(
        process,
        execs.filter((event) => isOfProcess(event, id)),
      )
      expect(moment.latest).toBeDefined()
    }
    const [first] = ids
    const own = execs.filter((event) => isOfProcess(event, first ?? ''))
    const again = own.filter(({type}) => type === 'exec.added').slice(0, 1)
    expect(foldMachine(process, [...own, ...again]).snapshot.value).toBe(
      own.at(-1)?.type === 'exec.deleted' ? 'created' : foldMachine(process, own).snapshot.value,
    )
  })
})

describe('a moment of a supervisor', () => {
  it('is folded from the ledger of its container', () => {
    expect(foldMachine(supervisor, started).snapshot.value).toBe('first')
    const adopted = foldMachine(supervisor, readGolden('0.1.0/adopted.jsonl')).snapshot
    expect(adopted.context).toMatchObject({adoptions: 1})
    expect(foldMachine(supervisor, wholeLife).snapshot).toMatchObject({value: 'ended', status: 'done'})
    expect(toMarks(supervisor, foldMachine(supervisor, readGolden('0.4.0/gave-up.jsonl'))).active).not.toContain('first')
  })
})

describe('the model of a chart', () => {
  const model = toChartModel(container)

  it('has conditions as trees', () => {
    const [exited] = model.transitions.filter(({id}) => id.startsWith('running container.exited'))
    expect(exited?.guard).toMatch(/^hasNoLiveExec and not \(in running\.execution\.pausing or .*\) and \w+$/)
    expect(exited?.shortGuard).toMatch(/^hasNoLiveExec and \w+ and …$/)
  })

  it('supports conditions of every kind', () => {
    const text = (raw: unknown) => toGuardText(parseGuard(raw))
    expect(text({type: 'isForced', params: {}})).toBe('isForced')
    expect(toPaths({running: {stop: 'killing', execution: {}}})).toEqual(['running.stop.killing', 'running.execution'])
    expect(
      toShortGuardText({
        type: 'or',
        of: [
          {type: 'named', name: 'a'},
          {type: 'named', name: 'b'},
        ],
      }),
    ).toBe('…')
    expect(toShortGuardText({type: 'not', of: {type: 'named', name: 'a'}})).toBe('not a')
  })

  it('removes the most common prefix from event labels', () => {
    expect(model.transitions.find(({event}) => event === 'container.started')?.label).toBe('started')
    expect(model.transitions.find(({event}) => event === 'exec.added')?.label).toBe('exec.added')
    expect(toChartModel(process).transitions.find(({event}) => event === 'exec.added')?.label).toBe('added')
  })

  it('lists events that a state refuses although an enclosing one accepts them', () => {
    expect(model.states.get('created.prepared')?.refuses).toContain('container.kill-requested')
    expect(model.states.get('stopped')?.refuses).toEqual([])
  })
})
