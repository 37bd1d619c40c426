/** Which containers have a supervisor, and what is not published yet, read from the state directories without asking any supervisor. */
import {statSync} from 'node:fs'
import {toSource} from '../../../machines/ledger/ids.ts'
import type {Ledger} from '../../../machines/ledger/ledger.ts'
import {readLatestEvent} from '../../journal/latest-event.ts'
import {readLockHolders} from '../../linux/locks.ts'
import type {ContainerName} from '../../layout/container-name.ts'
import {type Directories, toContainerLayout} from '../../layout/container-layout.ts'
import {listContainers} from '../directories/containers.ts'

export interface JournalState {
  /** Its supervisor has the journal locked, or sleeps, or is about to be started. */
  readonly hasSupervisor: boolean
  /** Events in the journal that were not read from the stream. */
  readonly unpublished: number
}

export interface JournalsOptions {
  readonly node: string
  /** By source, as read from the stream. */
  readonly ledgers: ReadonlyMap<string, Ledger>
  /** Whether the shim of a container is there, and starts its supervisor when there is something to do. */
  readonly hasShim: (name: ContainerName) => boolean
}

export function readJournals(directories: Directories, {node, ledgers, hasShim}: JournalsOptions): readonly JournalState[] {
  const locked = readLockHolders()
  return listContainers(directories).flatMap(({namespace, id}) => {
    try {
      const {journal} = toContainerLayout(directories, {namespace, id}, '')
      const {ino} = statSync(journal)
      const hasSupervisor = locked.has(ino) || hasShim({namespace, id})
      return [{hasSupervisor, unpublished: countUnpublished(journal, ledgers.get(toSource({node, namespace, id})))}]
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
