// The `credential_process` of the local cloud's profiles: prints the answer of the credential server.
const response = await fetch(process.argv[2]);
if (!response.ok) {
  console.error(`the local cloud answered ${response.status}`);
  process.exit(1);
}
process.stdout.write(await response.text());
