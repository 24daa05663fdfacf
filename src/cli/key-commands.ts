/**
 * Commands about keys: making a key file, and who can open a file.
 */
import type { Command } from 'commander';
import { fingerprint, generateKeyPair, writeKeyFile } from '../api/key-files.js';
import { reading, writing } from './opening.js';
import { type CommonOptions, jsonLine, line } from './terminal.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

export function addKeyCommands(program: Command): void {
  program
    .command('keygen <keyfile>')
    .description('makes an Ed25519 key, in a new file that only its owner may read')
    .addHelpText('after', '\nExample:\n  mneme keygen ~/.config/app.key')
    .action((keyFile: string, { json }: CommonOptions) => {
      const { seed, publicKey } = generateKeyPair();
      writeKeyFile(keyFile, seed);
      seed.fill(0);
      const made = { publicKey: hex(publicKey), fingerprint: hex(fingerprint(publicKey)) };
      if (json === true) jsonLine(made);
      else line(`public key   ${made.publicKey}\nfingerprint  ${made.fingerprint}`);
    });
  const key = program.command('key').description('who can open encrypted keyspaces');
  key
    .command('ls <file>')
    .description('fingerprints of all who can; * is the key that was given')
    .addHelpText('after', '\nExample:\n  mneme key ls app.mneme')
    .action((file: string, options: CommonOptions) => {
      for (const it of reading(file, options, (database) => database.listEncryptionKeys())) {
        if (options.json === true) jsonLine({ fingerprint: it.hex, current: it.current });
        else line(`${it.current ? '*' : ' '} ${it.hex}`);
      }
    });
  key
    .command('add <file> <publickey>')
    .description('lets another key open it: hex, OpenSSH or PEM text')
    .addHelpText(
      'after',
      '\nExample:\n  mneme key add app.mneme "$(cat ~/.ssh/id_ed25519.pub)" --key-file app.key',
    )
    .action((file: string, publicKey: string, options: CommonOptions) => {
      const added = hex(writing(file, options, (database) => database.addEncryptionKey(publicKey)));
      if (options.json === true) jsonLine({ fingerprint: added });
      else line(added);
    });
  key
    .command('rm <file> <fingerprint>')
    .description('takes a key away; what is written from then on it cannot read')
    .addHelpText('after', '\nExample:\n  mneme key rm app.mneme 5f1c… --key-file app.key')
    .action((file: string, name: string, options: CommonOptions) => {
      writing(file, options, (database) => database.removeEncryptionKey(name));
      if (options.json === true) jsonLine({ removed: name });
    });
}
