/** Composition root of /api. */
import { find, openPage, tellLoaded } from "../shared/page.js";
import { buildSharePanel } from "../share/panel.js";
import { t } from "../shared/words.js";
import { ConfirmView } from "../shared/views/confirm.js";
import { Keys, revokeKeyQuestion } from "./keys.js";
import { KeysApi } from "./keys_api.js";
import { KeyListView } from "./views/key_list.js";
import { NewKeyView } from "./views/new_key.js";

const page = openPage();
const { bus } = page;

buildSharePanel(page);
// Keys are on the host's page alone.
if (find("key-list")) buildKeys();
tellLoaded();

function buildKeys() {
  const keys = new Keys({ api: new KeysApi(page.fetch), bus });
  const list = {
    list: find("key-list"),
    template: find("key-template"),
    none: find("keys-none"),
    trouble: find("keys-trouble"),
  };
  new KeyListView(list, bus);
  new NewKeyView(
    {
      form: find("key-form"),
      name: find("key-name"),
      create: find("key-create"),
      box: find("new-key"),
      title: find("new-key-title"),
      text: find("new-key-text"),
      copy: find("new-key-copy"),
      copyLabel: find("new-key-copy-label"),
      done: find("new-key-done"),
      said: find("keys-said"),
    },
    bus,
  );
  wire(keys);
  keys.load();
}

function wire(keys) {
  const confirm = new ConfirmView(
    {
      dialog: find("key-dialog"),
      title: find("key-dialog-title"),
      text: find("key-dialog-text"),
      yes: find("key-dialog-yes"),
      no: find("key-dialog-no"),
    },
    bus.signal,
  );
  bus.on("key-create-requested", ({ name }) => keys.create(name));
  bus.on("key-copy-requested", ({ text }) => copy(text));
  bus.on(
    "key-revoke-requested",
    async ({ key }) => (await confirm.ask(revokeKeyQuestion(key))) && keys.revoke(key),
  );
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    bus.emit("key-copied");
  } catch {
    bus.emit("keys-failed", {
      text: t("The browser does not let the page copy. Select the key and copy it by hand."),
    });
  }
}
