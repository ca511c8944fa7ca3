// The page: its panels, one file each, started one after another, the quick ones first.

import {say} from "./common.js";
import * as box from "./box.js";
import * as noise from "./noise.js";
import * as families from "./families.js";
import * as tin from "./tin.js";
import * as bayes from "./bayes.js";
import * as sail from "./sail.js";

for (const [name, panel] of Object.entries({box, tin, bayes, sail, families, noise})) {
  const section = document.getElementById(name);
  try {
    await panel.start(section);
    section.dataset.ready = "";
  } catch (error) {
    say(section, error.message);
  }
}
