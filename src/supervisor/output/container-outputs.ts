/** The outputs of a container's processes, each from its own directory, into its own log, to its own subjects. */
import {join} from 'node:path'
import type {ContainerAddress} from '../../../machines/ledger/ids.ts'
import type {Clock} from '../../kernel/clock.ts'
import type {NatsLink} from '../../messaging/link.ts'
import type {Subjects} from '../../messaging/subjects.ts'
import {openProcessStdio, reopenProcessStdio} from '../../stdio/process-stdio.ts'
import type {ProcessStdioOptions} from '../../stdio/process-stdio-port.ts'
import type {Failpoints} from '../failpoints.ts'
import {createInterest} from './interest.ts'
import {createLease} from './lease.ts'
import {createLeaseFile} from './lease-file.ts'
import type {ContainerLayout} from '../../layout/container-layout.ts'
import {createOutput} from './output.ts'
import {createOutputFeed} from './output-feed.ts'
import {createOutputs, type Outputs} from './outputs.ts'

export interface ContainerOutputsOptions {
  readonly link: NatsLink
  readonly subjects: Subjects
  readonly address: ContainerAddress
  readonly layout: ContainerLayout
  readonly clock: Clock
  /** Root of the container, where that is not root of the host. */
  readonly findOwner: () => ProcessStdioOptions['owner']
  readonly failpoints: Pick<Failpoints, 'onRead' | 'onLogged'>
  /** Whether commands are under way: then less output is read. */
  readonly isUrgent: () => boolean
}

/** What is kept of the output of an added process. A reader in the foreground has a lease, which defers the dropping of more. */
const execLog = {maxBytes: 8 * 1024 * 1024, maxFiles: 2}

export function createContainerOutputs({
  link,
  subjects,
  address,
  layout,
  clock,
  findOwner,
  failpoints,
  isUrgent,
}: ContainerOutputsOptions): Outputs {
  return createOutputs((exec) => {
    const {fifoDir: dir, log: logFile, runDir} = exec === undefined ? layout : layout.exec(exec)
    const feed = createOutputFeed(link, (stream) =>
      exec === undefined ? subjects.log(address, stream) : subjects.io(address, exec, stream),
    )
    const interest = createInterest(createLeaseFile(join(runDir, 'followed-until')), clock)
    return createOutput({
      openStdio: ({again, ...options}, onOutput, wanted) =>
        (again ? reopenProcessStdio : openProcessStdio)({
          ...options,
          rotation: exec === undefined ? options.rotation : {...execLog, wanted},
          owner: again ? undefined : findOwner(),
          dir,
          logFile,
          isUrgent,
          // Called for each piece after it was read and before it is logged.
          now: () => {
            failpoints.onRead()
            return clock.now()
          },
          onOutput: (chunk) => {
            failpoints.onLogged()
            onOutput(chunk)
          },
        }),
      publish: (chunk) => interest.isWatched && feed.publish(chunk),
      publishEnd: (totals) => feed.publishEnd(totals, clock.now()),
      lease: createLease(createLeaseFile(join(runDir, 'held-until')), clock),
      interest,
    })
  })
}
