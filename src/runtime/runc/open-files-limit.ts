/** The limit of open files (RLIMIT_NOFILE) in the `process` of an OCI spec. */
import {join} from 'node:path'
import * as z from 'zod'
import {writeOpenFiles} from '../../linux/resource-limits.ts'
import {mostSpecBytes, readTextFile} from '../read-text-file.ts'

const processSchema = z.object({rlimits: z.array(z.object({type: z.string(), soft: z.number(), hard: z.number()})).optional()})
const bundleSchema = z.object({process: processSchema})

export interface OpenFilesLimit {
  readonly soft: number
  readonly hard: number
}

/** @param processFile with the `process` alone, as runc exec takes it */
export function findOpenFiles(processFile: string): OpenFilesLimit | undefined {
  return toOpenFiles(processSchema.safeParse(readJson(processFile)).data)
}

export function findBundleOpenFiles(bundle: string): OpenFilesLimit | undefined {
  return toOpenFiles(bundleSchema.safeParse(readJson(join(bundle, 'config.json'))).data?.process)
}

/**
 * Sets the limit of an added process once more. runc before 1.1.13 sets it while its own runtime, that of Go, may still raise it to the
 * hard limit. The process may have started by then, and for processes of other users this takes CAP_SYS_RESOURCE.
 */
export function settleOpenFiles(pid: number, processFile: string): void {
  const limit = findOpenFiles(processFile)
  if (limit && Number.isSafeInteger(limit.hard)) writeOpenFiles(pid, limit)
}

function toOpenFiles(process: z.infer<typeof processSchema> | undefined): OpenFilesLimit | undefined {
  return process?.rlimits?.find(({type}) => type === 'RLIMIT_NOFILE')
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readTextFile(file, mostSpecBytes))
  } catch {
    // The runtime reports what is wrong with it.
    return undefined
  }
}
