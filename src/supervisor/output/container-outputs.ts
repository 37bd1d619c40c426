/** The outputs of a container's processes, each from its own directory, into its own log, to its own subjects. */
import {join} from 'node:path'
import type {ContainerAddress} from '../../../machines/ledger/ids.ts'
import type {Clock} from '../../kernel/clock.ts'
import type {NatsLink} from '../../messaging/link.ts'
import type {Subjects} from '../../messaging/subjects.ts'
import type {ProcessStdioOptions, ProcessStdios} from '../../stdio/process-stdio-port.ts'
import {createInterest} from './interest.ts'
import {createLease} from './lease.ts'
import {createLeaseFile} from './lease-file.ts'
import type {ContainerLayout} from '../../layout/container-layout.ts'
import {createLogFollower} from './log-follower.ts'
import {createOutput, type OpenOptions} from './output.ts'
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
  readonly stdios: ProcessStdios
}

/** What is kept of the output of an added process. A reader in the foreground has a lease, which defers the dropping of more. */
const execLog = {maxBytes: 8 * 1024 * 1024, maxFiles: 2}

export function createContainerOutputs({link, subjects, address, layout, clock, findOwner, stdios}: ContainerOutputsOptions): Outputs {
  return createOutputs((exec) => {
    const {fifoDir: dir, log: logFile, runDir} = exec === undefined ? layout : layout.exec(exec)
    const feed = createOutputFeed(link, (stream) =>
      exec === undefined ? subjects.log(address, stream) : subjects.io(address, exec, stream),
    )
    const name = exec === undefined ? 'init' : `exec/${exec}`
    const withPlace = (options: OpenOptions) => ({
      ...options,
      ...{name, dir, logFile},
      rotation: exec === undefined ? options.rotation : execLog,
    })
    const interest = createInterest(createLeaseFile(join(runDir, 'followed-until')), clock)
    return createOutput({
      openStdio: (options, onGrew) => stdios.open({...withPlace(options), owner: findOwner(), onGrew}),
      reopenStdio: (options, onGrew) => stdios.reopen({...withPlace(options), onGrew}),
      createFollower: (from, publish) => createLogFollower(logFile, from, publish),
      publish: feed.publish,
      publishEnd: (totals) => feed.publishEnd(totals, clock.now()),
      lease: createLease(createLeaseFile(join(runDir, 'held-until')), clock),
      interest,
    })
  })
}
