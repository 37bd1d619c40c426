import {describe, expect, it} from 'vitest'
import type {ContainerView} from '../../../machines/views/view.ts'
import {toExitStatus, toRunExitCode} from '../../../src/cli/exit-codes.ts'
import {formatCommand, formatDuration, formatExit, formatStatus, formatTable} from '../../../src/cli/format.ts'

const now = Date.parse('2026-01-02T03:04:05.000Z')
const view: ContainerView = {
  node: 'n',
  namespace: 'default',
  id: 'web',
  uid: 'u',
  state: 'running',
  since: '2026-01-02T03:00:05.000Z',
  args: ['sh'],
  autoRemove: false,
  requestedAt: '2026-01-02T03:00:00.000Z',
  startedAt: '2026-01-02T03:00:05.000Z',
  eventCount: 4,
}

describe('text for people', () => {
  it.each([
    [0, '0 seconds'],
    [1_999, '1 second'],
    [119_000, '119 seconds'],
    [120_000, '2 minutes'],
    [7_200_000, '2 hours'],
    [3 * 86_400_000, '3 days'],
    [30 * 86_400_000, '4 weeks'],
  ])('%i ms are %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })

  it.each<[Partial<ContainerView>, string]>([
    [{}, 'Up 4 minutes'],
    [{stop: {signal: 'SIGTERM', dueAt: ''}}, 'Up 4 minutes, stopping'],
    [{state: 'created'}, 'Created'],
    [{state: 'creating'}, 'Creating for 4 minutes'],
    [{state: 'stopped', exit: {type: 'code', code: 7}}, 'Exited (7) 4 minutes ago'],
    [{state: 'stopped', exit: {type: 'signal', signal: 'SIGSEGV', coreDumped: true}}, 'Exited (SIGSEGV, core dumped) 4 minutes ago'],
    [{state: 'stopped', exit: {type: 'signal', signal: 'SIGKILL'}, oomKills: 1, oomKilled: true}, 'Exited (SIGKILL, OOM) 4 minutes ago'],
    [{state: 'stopped', exit: {type: 'code', code: 137}, oomKills: 2}, 'Exited (137, OOM killed 2) 4 minutes ago'],
    [{oomKills: 2}, 'Up 4 minutes, OOM killed 2'],
    [{state: 'stopped', exit: {type: 'lost', reason: 'host rebooted'}}, 'Exited (lost: host rebooted) 4 minutes ago'],
  ])('%j is %s', (part, text) => {
    expect(formatStatus({...view, ...part}, now)).toBe(text)
  })

  it('quotes arguments that a shell would split, and cuts long commands', () => {
    expect(formatCommand(['sh', '-c', 'echo hi', ''])).toBe('sh -c "echo hi" ""')
    expect(formatCommand(['x'.repeat(50)], 10)).toBe('xxxxxxxxx…')
  })

  it('aligns tables, without trailing blanks', () => {
    expect(formatTable(['A', 'LONG'], [['aaa', 'b']])).toBe('A     LONG\naaa   b')
  })
})

describe('exit statuses', () => {
  it('are those of a shell', () => {
    expect(toExitStatus({type: 'code', code: 7})).toBe(7)
    expect(toExitStatus({type: 'signal', signal: 'SIGKILL'})).toBe(137)
    expect(toExitStatus({type: 'lost', reason: ''})).toBe(125)
    expect([toRunExitCode('COMMAND_NOT_FOUND'), toRunExitCode('COMMAND_NOT_EXECUTABLE'), toRunExitCode('ROOTFS_INVALID')]).toEqual([
      127, 126, 125,
    ])
    expect(formatExit({type: 'signal', signal: 'SIGTERM'})).toBe('SIGTERM')
  })
})
