// The attendant that the benchmark compares channel-aa with: the same menu on npm's
// ari-client, modelled on the program "channel-aa.js" of the page "Handling DTMF" of
// Asterisk's documentation. Each menu adds its own listeners to the channel, and the
// menu's first sound is requested right after the feedback to a key, so that Asterisk
// queues it. Unlike there, a failed request does not end the call.
//
//   node attendant.js URL APP

'use strict';

const ari = require('ari-client');

const [url, app] = process.argv.slice(2);
const SOUNDS = ['sound:press-1', 'sound:or', 'sound:press-2'];
const OPTIONS = [1, 2];
const SILENCE_MS = 10 * 1000;

// A request fails if its channel or playback has ended. Events report both.
const ignore = () => {};

ari.connect(url, 'asterisk', 'asterisk', (problem, client) => {
  if (problem) {
    console.error('No connection to %s: %s', url, problem.message);
    process.exit(1);
  }
  const silences = new Map();

  const forgetSilence = (channel) => {
    clearTimeout(silences.get(channel.id));
    silences.delete(channel.id);
  };

  const play = (channel, media, then = ignore) => {
    channel.play({ media }, then);
  };

  const offerMenu = (channel) => {
    let next = 0;
    let isOver = false;
    let current = null;

    const cancel = () => {
      isOver = true;
      channel.removeListener('ChannelDtmfReceived', cancel);
      channel.removeListener('StasisEnd', cancel);
      if (current) {
        current.stop(ignore);
      }
    };

    const playNext = () => {
      if (isOver) {
        return;
      }
      if (next === SOUNDS.length) {
        silences.set(channel.id, setTimeout(askAgain, SILENCE_MS, channel));
        return;
      }
      current = client.Playback();
      current.once('PlaybackFinished', playNext);
      channel.play({ media: SOUNDS[next] }, current, ignore);
      next += 1;
    };

    channel.on('ChannelDtmfReceived', cancel);
    channel.on('StasisEnd', cancel);
    playNext();
  };

  const askAgain = (channel) => {
    console.log('Channel %s stopped paying attention...', channel.name);
    play(channel, 'sound:are-you-still-there', () => offerMenu(channel));
  };

  const keyPressed = (event, channel) => {
    forgetSilence(channel);
    const digit = parseInt(event.digit, 10);
    console.log('Channel %s entered %d', channel.name, digit);
    if (OPTIONS.includes(digit)) {
      play(channel, 'sound:you-entered', () => {
        play(channel, `digits:${digit}`, () => offerMenu(channel));
      });
    } else {
      console.log('Channel %s entered an invalid option!', channel.name);
      play(channel, 'sound:option-is-invalid', () => offerMenu(channel));
    }
  };

  client.on('StasisStart', (event, channel) => {
    console.log('Channel %s has entered the application', channel.name);
    channel.on('ChannelDtmfReceived', keyPressed);
    channel.answer((refused) => {
      if (!refused) {
        offerMenu(channel);
      }
    });
  });

  client.on('StasisEnd', (event, channel) => {
    console.log('Channel %s has left the application', channel.name);
    channel.removeListener('ChannelDtmfReceived', keyPressed);
    forgetSilence(channel);
  });

  client.start(app);
});
