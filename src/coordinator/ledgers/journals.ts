/** Which containers have a supervisor, and what is not published yet, read from the state directories without asking any supervisor. */
import {toSource} from '../../../machines/ledger/ids.ts'
import type {Ledger} from '../../../machines/ledger/ledger.ts'
import {readLatestEvent} from '../../journal/latest-event.ts'
import type {ContainerName} from '../../layout/container-name.ts'
import {type Directories, toContainerLayout} from '../../layout/container-layout.ts'
import {listContainers} from '../directories/containers.ts'
import type {SupervisorState} from '../supervision/supervisor-states.ts'

export interface JournalState {
  readonly supervisor: SupervisorState
  /** Events in the journal that were not read from the stream. */
  readonly unpublished: number
}

export interface JournalsOptions {
  readonly node: string
  /** By source, as read from the stream. */
  readonly ledgers: ReadonlyMap<string, Ledger>
  /** Undefined when the container has no journal (any more). */
  readonly toState: (name: ContainerName) => SupervisorState | undefined
}

export function readJournals(directories: Directories, {node, ledgers, toState}: JournalsOptions): readonly JournalState[] {
  return listContainers(directories).flatMap(({namespace, id}) => {
    try {
      const {journal} = toContainerLayout(directories, {namespace, id}, '')
      const supervisor = toState({namespace, id})
      if (supervisor === undefined) return []
      return [{supervisor, unpublished: countUnpublished(journal, ledgers.get(toSource({node, namespace, id})))}]
    } catch {
      // Deleted in the meantime, not begun yet, or damaged, which its supervisor has reported.
      return []
    }
  })
}

function countUnpublished(journal: string, known: Ledger | undefined): number {
  const latest = readLatestEvent(journal)
  if (!latest) return 0
  if (known?.latest?.uid === latest.uid) return Math.max(0, latest.sequence - known.latest.sequence)
  // A deleted container is forgotten a moment before its directory is removed.
  return latest.type === 'container.deleted' ? 0 : latest.sequence
}
