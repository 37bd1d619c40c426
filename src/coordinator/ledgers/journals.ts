/** What the state directories say of supervisors, without asking one: which there are, and what they have not published yet. */
import {statSync} from 'node:fs'
import {toSource} from '../../../machines/ledger/ids.ts'
import type {Ledger} from '../../../machines/ledger/ledger.ts'
import {readLatestEvent} from '../../journal/latest-event.ts'
import {readHeldInodes} from '../../linux/held-files.ts'
import {type Directories, toContainerLayout} from '../../layout/container-layout.ts'
import {listContainers} from '../directories/containers.ts'

export interface JournalState {
  /** Somebody has the journal: a supervisor looks after the container. */
  readonly held: boolean
  /** Events in the journal that are not in what was read of the stream. */
  readonly unpublished: number
}

/** @param ledgers by source, as read from the stream */
export function readJournals(
  directories: Directories,
  {node, ledgers}: {readonly node: string; readonly ledgers: ReadonlyMap<string, Ledger>},
): readonly JournalState[] {
  const held = readHeldInodes()
  return listContainers(directories).flatMap(({namespace, id}) => {
    try {
      const {journal} = toContainerLayout(directories, {namespace, id}, '')
      const {ino} = statSync(journal)
      return [{held: held.has(ino), unpublished: countUnpublished(journal, ledgers.get(toSource({node, namespace, id})))}]
    } catch {
      // Deleted meanwhile, not begun yet, or damaged, which its supervisor has said.
      return []
    }
  })
}

function countUnpublished(journal: string, known: Ledger | undefined): number {
  const latest = readLatestEvent(journal)
  if (!latest) return 0
  if (known?.latest?.uid === latest.uid) return Math.max(0, latest.sequence - known.latest.sequence)
  // What has been deleted is forgotten, a moment before its directory goes.
  return latest.type === 'container.deleted' ? 0 : latest.sequence
}
