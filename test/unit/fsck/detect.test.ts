import {describe, expect, it} from 'vitest'
import {detect, listNotCompared} from '../../../src/fsck/detect.ts'
import {findingTable} from '../../../src/fsck/findings.ts'
import type {Survey} from '../../../src/fsck/survey.ts'
import {clean, whole, withJournal, withWeb} from './survey-fixture.ts'

const old = {namespace: 'default', id: 'old'} as const
const oldGroup = {path: '/tally-default-old-ffffffff', directories: ['/sys/fs/cgroup/pids/tally-default-old-ffffffff'], processes: []}
const missing = {journal: {type: 'missing'}, holder: undefined, shim: undefined, streamed: undefined, runtimeStatus: undefined} as const
const codesOf = (survey: Survey) => detect(survey).map(({code, container}) => `${code} ${container ?? '-'}`)

const asleep = withWeb({holder: undefined})
const givenUp = withWeb({holder: undefined, journal: {...whole, isGivenUp: true}})

/** One change to the survey each, and the findings that it leads to. */
const cases: readonly (readonly [what: string, Survey, readonly string[]])[] = [
  ['nothing, where everything agrees', clean, []],
  ['a damaged line', withWeb({journal: {type: 'damaged', line: 3, why: 'x'}, streamed: undefined}), ['JOURNAL_DAMAGED default/web']],
  [
    'an incomplete last line without a supervisor',
    {
      ...withJournal({tornBytes: 9}),
      containers: [{...(withJournal({tornBytes: 9}).containers[0] ?? fail()), holder: undefined, shim: undefined}],
    },
    ['JOURNAL_TORN default/web', 'SUPERVISOR_MISSING default/web'],
  ],
  ['nothing, while a line is being written', withJournal({tornBytes: 9}), []],
  ['the journal of another container', withJournal({source: '/tally/n2/default/web'}), ['JOURNAL_MISPLACED default/web']],
  [
    'a directory without a journal',
    {...withWeb(missing), supervised: [], runtime: [], runDirs: [], mounts: [], processes: [], stream: {type: 'read', lives: []}},
    ['JOURNAL_MISSING default/web'],
  ],
  [
    'nothing while a create has just begun',
    {
      ...withWeb({...missing, ageMs: 100}),
      supervised: [],
      runtime: [],
      runDirs: [],
      mounts: [],
      processes: [],
      stream: {type: 'read', lives: []},
    },
    [],
  ],
  ['nothing, where the supervisor sleeps', asleep, []],
  ['a container without a shim', withWeb({holder: undefined, shim: undefined}), ['SUPERVISOR_MISSING default/web']],
  ['a container whose shim has given up', givenUp, ['SUPERVISOR_MISSING default/web']],
  [
    'an init that does not exist any more',
    withWeb({isInitAlive: false, runtimeStatus: 'stopped'}),
    ['INIT_GONE default/web', 'RUNTIME_DISAGREES default/web'],
  ],
  ['a container that the runtime does not know', withWeb({runtimeStatus: undefined}), ['RUNTIME_DISAGREES default/web']],
  [
    'a stopped container that the runtime still runs',
    {...withJournal({state: 'stopped', hasEnded: true})},
    ['RUNTIME_DISAGREES default/web'],
  ],
  ['nothing in the runtime when it is not available', withWeb({runtimeStatus: 'unasked'}), []],
  [
    'nothing in a container that waits for its restart',
    {
      ...withJournal({state: 'waiting', hasEnded: true}),
      containers: [
        {...(withJournal({state: 'waiting', hasEnded: true}).containers[0] ?? fail()), runtimeStatus: undefined, isInitAlive: false},
      ],
    },
    [],
  ],
  ['missing FIFOs', withWeb({hasFifos: false}), ['FIFO_MISSING default/web']],
  [
    'no missing FIFOs for a terminal',
    {...withJournal({terminal: true}), containers: [{...(withJournal({terminal: true}).containers[0] ?? fail()), hasFifos: false}]},
    [],
  ],
  [
    'a container that only the runtime knows',
    {...clean, runtime: [...clean.runtime, {...old, path: '/run/runc/default/old'}]},
    ['RUNTIME_ORPHAN default/old'],
  ],
  [
    'a mount without a container',
    {...clean, mounts: [...clean.mounts, {...old, target: '/state/containers/default/old/rootfs'}]},
    ['MOUNT_ORPHAN default/old'],
  ],
  [
    'a run directory without a container',
    {...clean, runDirs: [...clean.runDirs, {...old, path: '/run/containers/default/old'}]},
    ['RUN_DIR_ORPHAN default/old'],
  ],
  [
    'a process without a container',
    {...clean, processes: [...clean.processes, {...old, pid: 9, file: '/run/containers/default/old/io/stdout', title: 'tail'}]},
    ['PROCESS_ORPHAN default/old'],
  ],
  ['a cgroup of a deleted container', {...clean, cgroups: [...clean.cgroups, oldGroup]}, ['CGROUP_ORPHAN default/old']],
  [
    'a cgroup of a former container with the same id',
    {
      ...clean,
      cgroups: [...clean.cgroups, {...oldGroup, path: '/tally-default-web-eeeeeeee'}],
      stream: {
        type: 'read',
        lives: [
          {namespace: 'default', id: 'web', uid: 'eeeeeeee-1', isDeleted: true},
          {namespace: 'default', id: 'web', uid: whole.uid, isDeleted: false},
        ],
      },
    },
    ['CGROUP_ORPHAN default/web'],
  ],
  ['nothing in cgroups of other nodes', {...clean, cgroups: [...clean.cgroups, {...oldGroup, path: '/tally-default-old-12345678'}]}, []],
  [
    'nothing in a cgroup whose container cannot be read',
    {...withWeb({journal: {type: 'damaged', line: 3, why: 'x'}, streamed: undefined})},
    ['JOURNAL_DAMAGED default/web'],
  ],
  [
    'nothing in cgroups while the stream is not available',
    {...clean, cgroups: [...clean.cgroups, oldGroup], stream: {type: 'unreachable', why: 'x'}},
    [],
  ],
  ['nothing in cgroups of a supervisor without a journal', {...clean, containers: [], cgroups: clean.cgroups}, []],
  ['a missing stream', {...clean, stream: {type: 'absent'}}, ['STREAM_ABSENT -']],
  [
    'nothing when the missing stream is not needed',
    {...clean, containers: [], supervised: [], runtime: [], runDirs: [], mounts: [], processes: [], stream: {type: 'absent'}},
    [],
  ],
  ['a stream that lacks the last events', withWeb({streamed: {kept: 2, wrong: []}}), ['STREAM_BEHIND default/web']],
  ['nothing when the stream got events after the journal was read', withWeb({streamed: {kept: 6, wrong: []}}), []],
  ['a stream with events out of order', withWeb({streamed: {kept: 2, wrong: [4, 3]}}), ['STREAM_DISORDERED default/web']],
  [
    'a container whose last event is missing',
    {
      ...clean,
      stream: {
        type: 'read',
        lives: [{...old, uid: 'ffffffffffffffff', isDeleted: false}, ...(clean.stream.type === 'read' ? clean.stream.lives.slice(1) : [])],
      },
    },
    ['STREAM_ORPHAN default/old'],
  ],
]

function fail(): never {
  throw new Error('expected a container')
}

describe('fsck finds', () => {
  it.each(cases)('%s', (_what, survey, codes) => {
    expect(codesOf(survey)).toEqual(codes)
  })

  it('every kind of finding in the table', () => {
    const found = new Set(cases.flatMap(([, survey]) => detect(survey).map(({code}) => code)))
    expect([...found].sort()).toEqual(Object.keys(findingTable).sort())
  })

  it('exactly the kinds that the table calls repairable with a repair', () => {
    for (const {code, repair} of cases.flatMap(([, survey]) => detect(survey))) {
      const {repair: kind} = findingTable[code]
      expect(repair === undefined ? 'none' : repair.type === 'republish' ? 'supervisor' : 'removes', code).toBe(kind)
    }
  })

  it('the line of a damaged journal, with advice', () => {
    const [finding] = detect(withWeb({journal: {type: 'damaged', line: 3, why: 'is not an event'}, streamed: undefined}))
    expect(finding?.message).toMatch(/^\/state\/containers\/default\/web\/journal\.jsonl:3: is not an event; .*head -n 2/)
  })
})

describe('a comparison that was not possible', () => {
  it('is reported', () => {
    expect(listNotCompared(clean)).toEqual([])
    expect(
      listNotCompared({...withWeb({streamed: undefined, runtimeStatus: 'unasked'}), stream: {type: 'unreachable', why: 'no server'}}),
    ).toEqual([
      'journals with the stream: no server',
      'control groups with deleted containers: only the stream knows those',
      'containers with the OCI runtime, 1 of them: it could not be asked',
    ])
    expect(listNotCompared(withWeb({streamed: undefined}))).toEqual([
      'journals with the stream, 1 of them: it could not be read to its end',
    ])
  })
})
