import {describe, expect, it} from 'vitest'
import {parseLedgerEvent} from '../../../machines/ledger/cloud-event.ts'
import {toStory} from '../../../machines/story/story.ts'
import {formatStory} from '../../../src/cli/format-story.ts'
import {goldenJournals} from '../../replay/golden-journals.ts'

const events = (goldenJournals.find(({name}) => name === '0.1.0/adopted')?.lines ?? []).map(parseLedgerEvent)
const now = Date.parse('2026-01-02T03:05:11.000Z')
const format = (options: {readonly width?: number; readonly others?: readonly string[]} = {}) => {
  const story = toStory(events, now)
  if (!story) throw new Error('expected a story')
  return formatStory(story, {others: [], now, width: undefined, ...options})
}

describe('a story at a terminal', () => {
  it('has one line per step with times and causes, and what was lost', () => {
    expect(format({others: ['0123456789']})).toBe(`default/web on node node-1, uid 01JADOPTED
deleting, ran for 2 s; the latest event 60 seconds ago

2026-01-02, UTC
03:04:05.000  +0 ms  1  cli:ann requested a container to run sh -c "exec sleep 1000", to be removed when it ends
03:04:06.000   +1 s  2    the container was created; init is process 4242 (after 1 s)
03:04:07.000   +2 s  3  cli:ann requested the start
03:04:08.000   +3 s  4    the program was started (after 1 s)
03:04:09.000   +4 s  5  the supervisor had died, and a new one, process 5151, took over; it found: container.started; init gone; runtime says stopped
03:04:10.000   +5 s  6  the container ended with an unknown status: it ended while it had no supervisor
03:04:11.000   +6 s  7    the supervisor began to remove the container: auto-remove (after 1 s)

What was lost, or had to be mended:
  5: there was no supervisor for a while
  6: the exit status of the container: it ended while it had no supervisor

Others have had this id: --uid 01234567
`)
  })

  it('wraps text that is wider than the terminal, and indents it', () => {
    const lines = format({width: 60}).split('\n')
    expect(lines.every((line) => line.length <= 80)).toBe(true)
    expect(lines).toContain('03:04:06.000   +1 s  2    the container was created; init is')
    expect(lines).toContain('                          process 4242 (after 1 s)')
  })

  it('has no control characters of other programs', () => {
    const [first] = events
    if (first?.type !== 'container.create-requested') throw new Error('expected a create')
    const story = toStory([{...first, actor: 'a\u001b[2Jb\r\nc'}], now)
    expect(story && formatStory(story, {others: [], now, width: undefined})).toContain('a [2Jb c requested')
  })
})
