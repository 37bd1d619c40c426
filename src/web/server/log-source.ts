/** The log of a container, or of an added process, over one connection. */
import type {ContainerAddress} from '../../../machines/ledger/ids.ts'
import {streamNames} from '../../../machines/schemas/streams.ts'
import type {LogReply} from '../../../machines/views/view.ts'
import type {TallyClient} from '../../client/client.ts'
import type {NamedReader} from '../../client/watched.ts'

export interface LogSource {
  isClosed(): boolean
  /** What comes after it is published for some seconds. */
  read(from: {readonly position: number} | {readonly tail: number}): Promise<LogReply>
  /** Calls for every piece of output that is published. */
  watch(onOutput: () => void): Disposable
  /** Nothing more is wanted. Does not fail. */
  letGo(): Promise<void>
}

/** @param exec an added process; the container itself when absent */
export function createLogSource(
  client: TallyClient,
  reader: NamedReader,
  {id, namespace, exec}: Pick<ContainerAddress, 'id' | 'namespace'> & {readonly exec?: string | undefined},
): LogSource {
  const {connection, subjects} = client
  const container = client.container(id, namespace)
  const {address} = container
  const process = exec === undefined ? container : container.process(exec)
  return {
    isClosed: () => connection.isClosed(),
    read: (from) => reader.watched((options) => process.log(from, options)),
    letGo: () => reader.letGo(process),
    watch: (onOutput) => {
      const subscriptions = streamNames.map((stream) =>
        connection.subscribe(exec === undefined ? subjects.log(address, stream) : subjects.io(address, exec, stream), {callback: onOutput}),
      )
      return {
        [Symbol.dispose]: () => {
          for (const subscription of subscriptions) subscription.unsubscribe()
        },
      }
    },
  }
}
