/** From a survey to findings. Pure: findings follow from what was seen and from nothing else. */
import {toSource} from '../../machines/ledger/ids.ts'
import {detectLeftovers} from './detect-leftovers.ts'
import {detectStream} from './detect-stream.ts'
import {type Finding, toFinding} from './findings.ts'
import {type Survey, type SurveyedContainer, toName, type WholeJournal} from './survey.ts'

/** A younger state directory without a journal may be one that a create has just made. */
const reservationPatienceMs = 30_000

export function detect(survey: Survey): readonly Finding[] {
  return [
    ...survey.containers.flatMap((container) => [
      ...detectJournal(survey, container),
      ...(container.journal.type === 'whole' ? detectContainer(container, container.journal) : []),
    ]),
    ...detectLeftovers(survey),
    ...detectStream(survey),
  ]
}

/** What could not be compared, as phrases. */
export function listNotCompared({stream, cgroups, containers}: Survey): readonly string[] {
  const unread = containers.filter(({streamed, journal}) => streamed === undefined && journal.type === 'whole').length
  const asked = containers.filter(({runtimeStatus}) => runtimeStatus === 'unasked').length
  return [
    ...(stream.type === 'unreachable' ? [`journals with the stream: ${stream.why}`] : []),
    ...(stream.type === 'read' && unread > 0 ? [`journals with the stream, ${unread} of them: it could not be read to its end`] : []),
    ...(stream.type !== 'read' && cgroups.length > 0 ? ['control groups with deleted containers: only the stream knows those'] : []),
    ...(asked > 0 ? [`containers with the OCI runtime, ${asked} of them: it could not be asked`] : []),
  ]
}

function detectJournal({node, isCoordinated}: Survey, container: SurveyedContainer): readonly Finding[] {
  const {file, journal, holder, shim, ageMs} = container
  switch (journal.type) {
    case 'missing': {
      if (ageMs < reservationPatienceMs) return []
      const message = `${dirOf(file)} has no journal: its container was never begun; --repair removes it`
      return [
        toFinding('JOURNAL_MISSING', container, {subject: dirOf(file), message, repair: {type: 'remove-state-dir', ...toName(container)}}),
      ]
    }
    case 'damaged': {
      const {line, why} = journal
      const advice = `keep a copy, cut it before that line (head -n ${line - 1}) while nobody supervises it, and \`tally up\`: what the stream has of the rest is restored`
      return [
        toFinding('JOURNAL_DAMAGED', container, {
          subject: `${file}:${line}`,
          message: `${file}:${line}: ${why}; ${advice}`,
          repair: undefined,
        }),
      ]
    }
    case 'whole': {
      const expected = toSource({node, namespace: container.namespace, id: container.id})
      return [
        ...(journal.source === expected
          ? []
          : [
              toFinding('JOURNAL_MISPLACED', container, {
                subject: file,
                message: `expected a journal of ${expected} in ${file}, got one of ${journal.source}`,
                repair: undefined,
              }),
            ]),
        ...(journal.tornBytes > 0 && holder === undefined
          ? [
              toFinding('JOURNAL_TORN', container, {
                subject: file,
                message: `${file} ends with ${journal.tornBytes} bytes of a line half written; the next supervisor cuts them off`,
                repair: undefined,
              }),
            ]
          : []),
        ...(holder === undefined && (shim === undefined || journal.isGivenUp)
          ? [
              toFinding('SUPERVISOR_MISSING', container, {
                subject: file,
                message: isCoordinated
                  ? 'nobody supervises it, although a coordinator runs: `tally ps` tells whether it has been given up, supervisors.log why'
                  : 'nobody supervises it, and no coordinator runs: `tally up` starts both',
                repair: undefined,
              }),
            ]
          : []),
      ]
    }
  }
}

function detectContainer(container: SurveyedContainer, {state, init, hasEnded, terminal}: WholeJournal): readonly Finding[] {
  const {isInitAlive, runtimeStatus, hasFifos} = container
  const isLive = (state === 'running' || state === 'created') && init !== undefined && !hasEnded
  const found: Finding[] = []
  if (isLive && !isInitAlive)
    found.push(
      toFinding('INIT_GONE', container, {
        subject: `process ${init.pid}`,
        message: `the ledger says ${state}, and its init, process ${init.pid}, is not there; its supervisor, if it has one, journals its exit`,
        repair: undefined,
      }),
    )
  const disagreement = runtimeStatus === 'unasked' ? undefined : findDisagreement({isLive, state, runtimeStatus})
  if (disagreement) found.push(toFinding('RUNTIME_DISAGREES', container, {subject: 'runtime', message: disagreement, repair: undefined}))
  if (isLive && isInitAlive && !terminal && !hasFifos)
    found.push(
      toFinding('FIFO_MISSING', container, {
        subject: 'io',
        message: 'it runs, and the FIFOs of its output are gone: a new supervisor would not find what it writes',
        repair: undefined,
      }),
    )
  return found
}

function findDisagreement({
  isLive,
  state,
  runtimeStatus,
}: {
  readonly isLive: boolean
  readonly state: string
  readonly runtimeStatus: string | undefined
}): string | undefined {
  const isThere = runtimeStatus === 'running' || runtimeStatus === 'paused' || runtimeStatus === 'created'
  if (isLive && !isThere) return `the ledger says ${state}, the OCI runtime says ${runtimeStatus ?? 'that there is no such container'}`
  if (!isLive && (state === 'stopped' || state === 'failed') && isThere)
    return `the ledger says ${state}, the OCI runtime says ${runtimeStatus}`
  return undefined
}

function dirOf(file: string): string {
  return file.slice(0, file.lastIndexOf('/'))
}
