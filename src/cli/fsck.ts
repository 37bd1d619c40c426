/** `fsck`: compares what disk and kernel of this machine say of containers. The node need not run. */
import type {Command} from 'commander'
import type {FsckReport, Outcome} from '../fsck/main.ts'
import {TallyError} from '../kernel/errors.ts'
import {exitCodes} from './exit-codes.ts'
import {resolveNodeOptions} from './node-options.ts'
import {printJson} from './print.ts'
import {addVerb} from './verb.ts'

export function addFsck(program: Command): void {
  addVerb(
    program,
    'fsck',
    'compare journals, stream, OCI runtime, mounts, cgroups, processes and FIFOs of the node; exits with 1 when something differs or could not be compared',
  )
    .option('--repair', 'remove what belongs to no container, and let supervisors publish events that the stream lacks')
    .option('--runtime <name>', 'OCI runtime, by name or path', 'runc')
    .action(async ({repair = false, runtime}: {readonly repair?: boolean; readonly runtime: string}, command: Command) => {
      if (process.getuid?.() !== 0)
        throw new TallyError('STATE_DIR_INVALID', `looking at a node needs root, got uid ${process.getuid?.()}: expected sudo`)
      const {stateDir, runDir, node, nats, prefix, json} = resolveNodeOptions(command)
      // Loaded here: it needs koffi, which the other verbs do not load.
      const {fsck} = await import('../fsck/main.ts')
      const report = await fsck({stateDir, runDir, node, nats, prefix, runtime, repair})
      if (json) printJson(report)
      else process.stdout.write(formatReport(report, {repair}))
      if (report.findings.some(({repaired}) => !repaired) || report.notCompared.length > 0) process.exitCode = exitCodes.failed
    })
}

/** One line per finding: its code, its container, what it is, and whether it was repaired. Ends with a newline. */
export function formatReport({node, findings, notCompared}: FsckReport, {repair}: {readonly repair: boolean}): string {
  const width = Math.max(0, ...findings.map(({code}) => code.length))
  const repaired = findings.filter((finding) => finding.repaired).length
  const summary =
    findings.length === 0
      ? `node ${node}: ${notCompared.length === 0 ? 'everything agrees' : 'nothing that disagrees, but not everything was compared'}`
      : `node ${node}: ${count(findings.length, 'finding')}${repair ? `, ${repaired} repaired` : ''}`
  return [
    ...findings.map((finding) => toPrintable(formatFinding(finding, width, repair))),
    ...notCompared.map((what) => toPrintable(`not compared: ${what}`)),
    summary,
    '',
  ].join('\n')
}

function formatFinding({code, container, message, repaired, failure}: Outcome, width: number, repair: boolean): string {
  const became = !repair ? '' : repaired ? ' (repaired)' : failure === undefined ? ' (left as it is)' : ` (not repaired: ${failure})`
  return `${code.padEnd(width)}  ${container ?? '-'}  ${message}${became}`
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}

/** Without control characters, which process titles and paths can contain. */
function toPrintable(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ')
}
