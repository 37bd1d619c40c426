import type {LedgerEvent} from '../../../machines/ledger/events.ts'
import {foldEvents} from '../../../machines/ledger/ledger.ts'
import {TallyError} from '../../kernel/errors.ts'
import {isAlive} from '../../linux/process-table.ts'

/**
 * The init of another container of this node, as its journal tells.
 * @throws TallyError CONTAINER_NOT_FOUND, ILLEGAL_COMMAND when it does not run
 */
export function findInit(readJournal: () => Iterable<LedgerEvent>, name: {readonly namespace: string; readonly id: string}): number {
  const {init, exited} = foldEvents(readAll(readJournal, name)).snapshot.context
  if (!init || exited || !isAlive(init))
    throw new TallyError('ILLEGAL_COMMAND', `cannot join the namespaces of container ${name.id}, which does not run`, {details: name})
  return init.pid
}

function readAll(
  readJournal: () => Iterable<LedgerEvent>,
  name: {readonly namespace: string; readonly id: string},
): readonly LedgerEvent[] {
  try {
    return [...readJournal()]
  } catch (cause) {
    const message = `no container ${name.id} in namespace ${name.namespace} to join the namespaces of`
    throw new TallyError('CONTAINER_NOT_FOUND', message, {details: name, cause})
  }
}
