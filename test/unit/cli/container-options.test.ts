import {Command} from 'commander'
import {describe, expect, it} from 'vitest'
import {createRequestSchema} from '../../../machines/create-request.ts'
import {addContainerOptions, type ContainerFlags, toCreateRequest} from '../../../src/cli/container-options.ts'

function request(line: string) {
  let made: unknown
  const command = addContainerOptions(new Command('run').exitOverride().configureOutput({writeErr: () => {}}))
  command.action((args: readonly string[], flags: ContainerFlags) => {
    made = toCreateRequest(flags, args, {namespace: 'default', autoRemove: false})
  })
  command.parse(line.split(' '), {from: 'user'})
  return made
}

const plain = {namespace: 'default', autoRemove: false, rootfs: '/r', args: ['true'], env: []}

describe('the options of a container', () => {
  it.each<[string, object]>([
    ['--rootfs /r true', {}],
    ['--rootfs /r sh -c --rm', {args: ['sh', '-c', '--rm']}],
    [
      '--rootfs /r -v /a:/b -v /c:/d:ro --tmpfs /t true',
      {
        mounts: [
          {type: 'bind', source: '/a', target: '/b'},
          {type: 'bind', source: '/c', target: '/d', readOnly: true},
          {type: 'tmpfs', target: '/t'},
        ],
      },
    ],
    ['--rootfs /r --memory 64m --cpus 0.5 --pids-limit 10 true', {memoryBytes: 67_108_864, cpus: 0.5, pidsLimit: 10}],
    ['--rootfs /r --memory 64m --memory-swap 1g true', {memoryBytes: 67_108_864, memorySwapBytes: 1_073_741_824}],
    [
      '--rootfs /r --memory 64m --memory-swap -1 --cpu-shares 512 --cpuset-cpus 0-1 true',
      {memoryBytes: 67_108_864, memorySwapBytes: null, cpuShares: 512, cpusetCpus: '0-1'},
    ],
    ['--rootfs /r --read-only --cap-add NET_ADMIN --cap-drop ALL true', {readOnly: true, capAdd: ['NET_ADMIN'], capDrop: ['ALL']}],
    ['--rootfs /r -l a=b -l c= -l d=e=f true', {labels: {a: 'b', c: '', d: 'e=f'}}],
    ['--rootfs /r -e A=1 -e B=x=y true', {env: ['A=1', 'B=x=y']}],
  ])('%s', (line, fields) => {
    expect(request(line)).toEqual({...plain, ...fields})
    expect(createRequestSchema.safeParse(request(line)).success).toBe(true)
  })

  it.each([
    ['--rootfs /r -v /a true', /expected SOURCE:TARGET/],
    ['--rootfs /r -v /a:/b:rx true', /expected SOURCE:TARGET/],
    ['--rootfs /r --memory lots true', /expected a size such as 64m/],
    ['--rootfs /r --memory 0 true', /expected a size such as 64m/],
    ['--rootfs /r --cpus 0 true', /expected a number of CPUs/],
    ['--rootfs /r -l =x true', /expected NAME=VALUE/],
    ['--bundle /b --read-only --memory 1m', /got --read-only, --memory as well/],
    ['--bundle /b true', /got a command as well/],
    ['true', /expected one of --rootfs DIR and --bundle DIR/],
  ])('%s is refused', (line, message) => {
    expect(() => request(line)).toThrow(message)
  })
})
