/** Collects files, processes and logs of a container that got stuck, for the report: they are deleted with the node. */
import {existsSync, readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {parseLedgerEvent} from '../../machines/ledger/cloud-event.ts'
import {listProcesses} from '../../src/linux/process-table.ts'
import {toContainerLayout} from '../../src/layout/container-layout.ts'
import {readProcFile} from '../support/proc.ts'
import type {ChaosNode} from './chaos-node.ts'

const lastLines = 25

/** @returns one line for each fact */
export function collectEvidence({stateDir, runDir, namespace}: ChaosNode, id: string): readonly string[] {
  const layout = toContainerLayout({stateDir, runDir}, {namespace, id}, '')
  const isItsOwn = (text: string) => new RegExp(`(?<![\\w-])${id}(?![\\w-])`).test(text)
  const processes = listProcesses().flatMap((pid) => {
    const title = readProcFile(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim()
    return title.includes(namespace) && isItsOwn(title) ? [`${pid} ${title}`] : []
  })
  return [
    ...[layout.stateDir, layout.runDir].flatMap((dir) => [`${dir}: ${existsSync(dir) ? listBelow(dir).join(' ') : 'is gone'}`]),
    ...processes.map((process) => `process ${process}`),
    ...readStory(layout.journal).map((line) => `journal ${line}`),
    ...['coordinator.log', 'supervisors.log'].flatMap((file) => readLast(join(stateDir, file), isItsOwn).map((line) => `${file} ${line}`)),
  ]
}

function listBelow(dir: string): readonly string[] {
  return readdirSync(dir, {recursive: true, encoding: 'utf8'}).filter((path) => !path.startsWith('rootfs/'))
}

/** The events of a journal; of consecutive adoptions only the last. */
function readStory(journal: string): readonly string[] {
  const events = readAll(journal).map(parseLedgerEvent)
  return events
    .filter(({type}, index) => type !== 'supervisor.adopted' || events[index + 1]?.type !== type)
    .map(({sequence, time, type, data}) => `${sequence} ${time} ${type} ${JSON.stringify(data).slice(0, 300)}`)
}

function readLast(path: string, isWanted: (line: string) => boolean): readonly string[] {
  return readAll(path).filter(isWanted).slice(-lastLines)
}

function readAll(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').slice(0, -1)
  } catch {
    return []
  }
}
