// A small table of emoji: what people use most, with the names by which they are found and read out.
type Entry = readonly [emoji: string, name: string];

/** Entries are written as the emoji and its name, parted by commas. */
function table(text: string): Entry[] {
  return text.split(',').map((entry) => {
    const [emoji = '', ...name] = entry.trim().split(' ');
    return [emoji, name.join(' ')];
  });
}

export const emojiGroups: readonly { readonly name: string; readonly emoji: readonly Entry[] }[] = [
  {
    name: 'Smileys',
    emoji: table(
      `😀 grinning,😃 happy,😄 laughing eyes,😁 beaming,😆 squinting laugh,😅 sweat laugh,🤣 rolling laugh,😂 tears of joy,🙂 smile,🙃 upside down,😉 wink,😊 blush,😇 halo,🥰 in love,😍 heart eyes,🤩 star struck,😘 kiss,😋 yummy,😛 tongue,😜 crazy wink,🤪 zany,🤗 hug,🤭 giggle,🤫 quiet,🤔 thinking,🫡 salute,😐 neutral,😶 speechless,😏 smirk,🙄 rolling eyes,😬 grimace,😌 relieved,😔 pensive,😴 asleep,🤒 ill,🤕 hurt,🤯 mind blown,🥳 party,😎 cool sunglasses,🤓 nerd,😕 confused,🙁 sad,😮 surprised,😳 flushed,🥺 pleading,😨 afraid,😢 crying,😭 sobbing,😱 scream,😞 disappointed,😤 proud steam,😡 angry,🤬 swearing,💀 skull,💩 poo,🤖 robot,👻 ghost,🫠 melting`,
    ),
  },
  {
    name: 'Hands and people',
    emoji: table(
      `👍 thumbs up yes,👎 thumbs down no,👋 wave hello,👌 ok,🤌 pinched,✌️ victory,🤞 fingers crossed,🤘 rock,👈 left,👉 right,👆 up,👇 down,✋ hand stop,👏 clap,🙌 hooray,🫶 heart hands,🤝 handshake deal,🙏 thanks please,💪 strong,✍️ writing,👀 eyes looking,🧠 brain,🤷 shrug,🤦 facepalm,🙋 raising hand,🏃 running,💃 dance`,
    ),
  },
  {
    name: 'Hearts and signs',
    emoji: table(
      `❤️ heart,🧡 orange heart,💛 yellow heart,💚 green heart,💙 blue heart,💜 purple heart,🖤 black heart,💔 broken heart,💯 hundred,✨ sparkles,⭐ star,🔥 fire,💥 boom,🎉 party tada,🎂 cake birthday,🎁 gift,✅ done check,❌ cross wrong,❗ exclamation,❓ question,⚠️ warning,💤 sleep,♻️ recycle,🔔 bell,💬 speech`,
    ),
  },
  {
    name: 'Nature',
    emoji: table(
      `🐶 dog,🐱 cat,🐭 mouse,🦊 fox,🐻 bear,🐼 panda,🐸 frog,🐵 monkey,🐔 chicken,🦄 unicorn,🐝 bee,🦋 butterfly,🐢 turtle,🐙 octopus,🐳 whale,🌵 cactus,🌲 tree,🌱 seedling,🌻 sunflower,🌹 rose,🍀 clover luck,🌍 earth,🌙 moon,☀️ sun,🌈 rainbow,☁️ cloud,🌧️ rain,⚡ lightning,❄️ snow,🌊 wave sea`,
    ),
  },
  {
    name: 'Food',
    emoji: table(
      `🍎 apple,🍌 banana,🍓 strawberry,🍉 melon,🍋 lemon,🥑 avocado,🥕 carrot,🌽 corn,🍞 bread,🧀 cheese,🍳 egg,🍕 pizza,🍔 burger,🍟 fries,🌮 taco,🍣 sushi,🍜 noodles,🍦 ice cream,🍫 chocolate,🍪 cookie,☕ coffee,🍵 tea,🍺 beer,🍷 wine,🥂 cheers`,
    ),
  },
  {
    name: 'Things and places',
    emoji: table(
      `⚽ football,🏀 basketball,🎮 game,🎵 music,🎸 guitar,🎧 headphones,🎬 film,📷 camera,📱 phone,💻 computer,⌨️ keyboard,💡 idea light,🔑 key,🔒 lock,🛠️ tools,📎 clip,📌 pin,📅 calendar,📚 books,✏️ pencil,💰 money,🛒 shopping,🚗 car,🚲 bicycle,🚆 train,✈️ plane,🚀 rocket,🏠 home,🏖️ beach,⏰ alarm clock,⌛ hourglass`,
    ),
  },
];
