/** A survey of a node without faults, for tests that change one thing in it. */
import type {JournalReading, Survey, SurveyedContainer, WholeJournal} from '../../../src/fsck/survey.ts'

export const whole: {readonly type: 'whole'} & WholeJournal = {
  type: 'whole',
  uid: '0123456789abcdef',
  source: '/tally/n1/default/web',
  latestSequence: 4,
  tornBytes: 0,
  state: 'running',
  init: {pid: 42, startTimeTicks: 1, bootId: 'b'},
  hasEnded: false,
  isGivenUp: false,
  terminal: false,
  runtime: undefined,
}

export const web: SurveyedContainer = {
  namespace: 'default',
  id: 'web',
  file: '/state/containers/default/web/journal.jsonl',
  journal: whole,
  holder: 41,
  shim: 40,
  ageMs: 60_000,
  isInitAlive: true,
  runtimeStatus: 'running',
  hasFifos: true,
  streamed: {kept: 4, wrong: []},
}

export const clean: Survey = {
  node: 'n1',
  stateDir: '/state',
  isCoordinated: true,
  containers: [web],
  supervised: [{namespace: 'default', id: 'web', pid: 41}],
  runtime: [{namespace: 'default', id: 'web', path: '/run/runc/default/web'}],
  runDirs: [{namespace: 'default', id: 'web', path: '/run/containers/default/web'}],
  mounts: [{namespace: 'default', id: 'web', target: '/state/containers/default/web/rootfs'}],
  cgroups: [{path: '/tally-default-web-01234567', directories: ['/sys/fs/cgroup/pids/tally-default-web-01234567'], processes: [42]}],
  processes: [{namespace: 'default', id: 'web', pid: 42, file: '/run/containers/default/web/io/stdout', title: 'sh'}],
  stream: {
    type: 'read',
    lives: [
      {namespace: 'default', id: 'old', uid: 'ffffffffffffffff', isDeleted: true},
      {namespace: 'default', id: 'web', uid: whole.uid, isDeleted: false},
    ],
  },
}

/** The survey with a changed container. */
export function withWeb(changes: Partial<SurveyedContainer>): Survey {
  return {...clean, containers: [{...web, ...changes}]}
}

export function withJournal(changes: Partial<WholeJournal>): Survey {
  const journal: JournalReading = {...whole, ...changes}
  return withWeb({journal})
}
