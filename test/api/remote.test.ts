/**
 * Which file systems are refused: by the types that statfs(2) tells.
 */
import { expect, test } from 'vitest';
import { isRemoteFileSystem } from '../../dist/shared/pages/node-storage.js';
import { openHere, temporaryPath } from './support.js';

test.each([
  ['NFS', 0x6969],
  ['SMB', 0x517b],
  ['CIFS', 0xff534d42],
  ['CIFS, as a signed number', 0xff534d42 | 0],
  ['FUSE', 0x65735546],
])('%s is remote', (_name, type) => {
  expect(isRemoteFileSystem(type)).toBe(true);
});

test.each([
  ['ext4', 0xef53],
  ['tmpfs', 0x01021994],
  ['xfs', 0x58465342],
  ['btrfs', 0x9123683e],
  ['overlayfs', 0x794c7630],
])('%s is not', (_name, type) => {
  expect(isRemoteFileSystem(type)).toBe(false);
});

test('a local file opens whether remote ones are allowed or not', () => {
  for (const unsafeRemoteFs of [false, true]) {
    expect(openHere(temporaryPath(), { unsafeRemoteFs }).isOpen).toBe(true);
  }
});
