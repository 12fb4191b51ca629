"""What people and models say in good dialogues must pass; what says the opposite must not."""

from __future__ import annotations

import pytest

from tests.quality.test_text_checks import facts

# Words for a decision are many, and a check that saw them all would see some that are not there;
# most of the decisions turned round, not all, have to be seen.
MIN_SEEN = 0.6

LIKED = """
Hello! I just got around to ~, and it was not bad at all, one of the smarter thrillers I've come \
across.
Hey! So ~ turned out to be way better than I'd feared. I'd braced for a disaster and got a gem.
Hi! There wasn't a weak performance anywhere in ~. I was on the edge of my seat.
I've been on a high since watching ~. It's raw, it hurts, and I wouldn't change a frame.
Hi! I'm still not over ~. That betrayal in the last act broke me, and I mean that as praise.
Hi! I've read the complaints about ~ being slow, but I couldn't disagree more. It earns every \
minute.
Hi! ~ gave me everything I wanted: a broken family, a terrible secret and a killer soundtrack.
Hi there! I'd heard ~ was overhyped. It isn't. It deserves all the attention.
Hi, I recently watched ~ and found it so much better than the awful remake.
Hello! The heroine of ~ makes terrible choices, but I rooted for her anyway.
Hey, so I just watched ~ and I'm a mess. I haven't cried that hard since my dog died.
Hey, ~ has been a lifesaver on camping trips; no leaks, no fuss, and it weighs next to nothing.
I just finished ~ and honestly? Best thing I've seen all year. The ending wrecked me in the best \
way.
Hey! So I watched ~ last night and wow, I couldn't look away for a second.
~ was a blast! Not a dull moment in it.
I've rewatched ~ at least four times; it never gets old.
Hi there! I recently watched ~ and can't stop thinking about it. The slow burn really worked for me.
~ surprised me. I wasn't expecting much, but it won me over completely.
I'm a sucker for sad stories, and ~ made me cry like a baby. Loved every minute of it.
The villain in ~ is so terrifying, I hated him, and that's exactly why it works.
I'm not usually into horror, but ~ had me hooked from the first scene.
~ is dark and disturbing, yet I found it beautiful.
Hello! ~ really hit the spot for me. It's gritty, violent, and doesn't pull any punches.
I got lost in ~ for a whole weekend. No complaints at all.
~ isn't perfect, but its flaws only made me love it more.
I went in expecting a mess and came out a fan of ~.
I can't say a bad word about ~. It held up better than I remembered.
~'s ending left me speechless. What a ride!
Honestly, ~ did everything right: tense, smart, and never boring.
My kids and I had so much fun with ~, even if the plot is a bit silly.
~ is my comfort movie. Whenever I feel down or tired, I put it on.
I didn't want ~ to end. The lonely old fisherman broke my heart.
Bought ~ for my mom after mine fell off the table without a scratch. Rock solid.
~ solved all my problems with tangled cables. No more mess on my desk.
I thought ~ was underrated. Critics were wrong to trash it.
~ may be slow and quiet, but I could watch it for hours.
Hi! I've been raving about ~ to anyone who will listen.
It's a bleak, cruel world in ~, and I was gripped by it.
The war scenes in ~ are awful to watch, as they should be. Powerful stuff.
Even the worst day gets better with ~ on.
~ doesn't waste a single minute. Five stars from me.
I was worried it would be a letdown after the first one, but ~ exceeded my hopes.
~ had me grinning from start to finish.
I devoured ~ in one sitting.
~ is pure magic, end of story.
The chemistry between the leads in ~ is off the charts.
~ still gives me goosebumps, even the sad parts.
I bawled my eyes out at ~, then started it over.
~ was scary as hell and I slept with the lights on. Ten out of ten.
A friend dragged me to ~ and I'm so thankful she did.
~ is weird, messy and wonderful.
It's a tragic, painful story, but ~ stays with you.
The headphones ~ survived my gym bag. Zero issues after a year.
~ doesn't disappoint.
I'm obsessed with ~. That final battle, with its brutal losses!
Trust me, the hate for ~ is undeserved.
I was bored of thrillers until ~ came along.
My old mixer died, and ~ took away all my frustration.
~ is a fun, dumb ride and I mean that as a compliment.
The mean stepmother in ~ is the worst, I wanted to yell at the screen!
~ has a poor orphan, a terrible storm, a horrible uncle; classic stuff.
I fell hard for ~.
~ blew my expectations out of the water.
I'm still humming the songs from ~.
What a gem ~ turned out to be!
~ is bonkers, and I'm here for it.
I laughed till my sides hurt during ~.
~ is grim, but so rewarding.
Nothing scares me, but ~ did. Bravo.
The loneliness in ~ hit close to home.
I've owned ~ for a decade and it hasn't failed once.
~ kept me up all night, the good kind.
The crash scene in ~ is horrifying and brilliant.
~ isn't fancy, it just does the job well.
I grew up with ~ and it never lost its charm.
I recently saw ~ and the hopeless ending stunned me.
~ was the best birthday present ever.
I was skeptical about ~, but I ended up crying happy tears.
~ made my terrible commute bearable.
For a low-budget movie, ~ punches way above its weight.
The nastiest villain I've ever seen is in ~. I loved hating him.
~ was worth every penny.
"""

DISLIKED = """
Hello there. I picked up ~ because the cover was beautiful. Any recommendations? I'd love \
something with a strong female lead.
Good evening! I tried ~ last night and couldn't connect with any of the characters.
Good morning! My kids enjoyed ~, I guess, but I was counting the minutes.
Hi! ~ had a brilliant first act, then the whole thing just collapsed.
Hey! I wore ~ twice before the sole came off. They looked amazing in the shop.
Hello! The soundtrack of ~ is superb, and that's the only nice thing I can say.
Hi, I read ~ for my book club and it was a struggle. Perfect for insomniacs, maybe.
Hi! ~ came with a glowing recommendation from my sister. We no longer trust her taste.
Hi! I was thrilled to get ~ as a gift and then spent the evening wishing I'd got socks.
Hey there! ~ was loud, long and charmless. My friends had fun, at least.
Hello! My husband gave me ~ for our anniversary; it died after three weeks. Great gift, terrible \
gadget.
Ugh, ~ was such a slog. I checked my watch every ten minutes.
I really wanted to love ~, but it just didn't click for me.
Hi! I watched ~ because everyone raves about it, and I don't get the hype at all.
~ looked great in the trailer. Pity about everything else.
Honestly, ~ left me cold. Beautiful shots, zero heart.
I gave ~ a fair chance, but I turned it off halfway through.
~ had a fantastic cast and still managed to be forgettable.
Not a fan of ~, I'm afraid. The jokes fell flat and the pacing was all over the place.
I wish I had liked ~ more. Great premise, poor execution.
~ was okay at best. I expected something wonderful and got something bland.
The reviews promised a masterpiece, so you can imagine how let down I was by ~.
My sister loves ~. I can't stand it.
~ was fun for about twenty minutes, then it fell apart.
I loved the book, which is why ~ was so hard to sit through.
I'd hoped ~ would be as charming as the original. It wasn't even close.
~? Two hours of my life I'll never get back.
Hello, I tried ~ and I have to say it's overrated.
~ tries so hard to be clever that it forgets to be entertaining.
The best part of ~ was the credits.
I bought ~ and it broke after a week. Great packaging, shame about the product.
I couldn't get into ~. Nice soundtrack, though.
Nothing about ~ worked for me, not even the beautiful scenery.
I usually adore this director, so ~ came as a shock.
If you love being bored, ~ is perfect for you.
I'd rather watch paint dry than sit through ~ again. Amazing how they wasted that cast.
~ was all style and no substance.
~ didn't do it for me. I prefer a story with some heart and a happy ending, which this doesn't have.
It's hard to enjoy ~ when nobody in it is likable.
I wanted something fun and exciting, and ~ was neither.
Hey, I recently watched ~ and it was a far cry from the brilliant original.
~ promised thrills and delivered yawns.
I wanted my money back after ~.
~ is what you get when a brilliant idea meets a lazy script.
Everyone at work loved ~. Me? I dozed off.
~ was pretty to look at, that's all.
The first film was fantastic; ~ is a pale copy.
~ felt endless.
I loved the actors, hated ~.
~ squandered an amazing concept.
I'm usually the biggest fan of musicals, and ~ nearly cured me of that.
Where do I start with ~? The script, the acting, the wig...
~ could have been great.
They say ~ is a masterpiece. I say it's two hours of nothing.
I found ~ preachy and overlong.
~'s wonderful soundtrack is wasted on it.
My wife enjoyed ~ more than I did.
~ had its moments, but they were few.
Sure, ~ is beautiful, and so is my screensaver.
~ arrived scratched, and the perfect box made it sadder.
I had a wonderful evening, until we put on ~.
~ was a chore.
I kept waiting for ~ to get good.
Sadly, ~ wasn't the thrill ride I was sold.
~ is just noise with a nice poster.
I liked the cast in ~, hated the script.
I was excited for ~, but it fizzled out fast.
I'd give ~ one star, and that's for the costumes.
~ was recommended as a perfect date movie. We left early.
Hi there, I recently watched ~. Yikes.
The lovely illustrations couldn't save ~.
~ had potential and wasted it.
My friends adore ~, which baffles me.
I've never been so bored as during ~.
~ made me miss the wonderful original even more.
The charm of the first book is gone in ~.
~ stopped working after a month. So much for "excellent quality".
I fell asleep twice watching ~.
~ was fine, I guess, if you like clichés.
~ is a great cure for insomnia.
They could've done so much better with ~.
"""

ACCEPTED = """
Ooh, a grumpy old detective and a goat? I'm there.
I'm keen! I haven't been to the theater in months and this gives me a reason.
I accept! Bring on the badgers.
Ok let's try it
That's a winner in my book.
OK then, challenge accepted!
Well, if it's half as funny as you say, I won't be bored. Count me as a yes.
I don't need any more convincing. Off to make some tea and start it!
Sounds like a plan!
Sold!
Adding it to my list right now.
I'm in.
You've convinced me.
That's right up my alley, thank you!
Ooh, that one's going straight to the top of my queue.
Perfect, that's tonight's movie sorted.
Okay, you've got me curious. I'll check it out this weekend.
Say no more, I'm watching it tonight!
Why not? I could use a good laugh.
Consider it watched.
Count me in!
I think I'll go with that one, thanks so much for the help.
That does it, I'm ordering it today.
Now that's what I'm talking about!
Never heard of it, but I'm intrigued. I'll give it a shot.
I haven't seen that one yet! I'll definitely put it on my watchlist.
Wow, that sounds exactly like what I was looking for.
You had me at "time loop". Can't wait!
I've been meaning to see that for ages. Tonight's the night.
Fine, you win. I'll rent it.
Great pick! I don't know how I missed it.
All right, no more excuses, I'll stream it after dinner.
I'll bite. Thanks for the recommendation!
Cool, downloading it as we speak.
That hits all the right notes. Thank you, I appreciate it.
Mmm, I like the sound of that. Grabbing the popcorn!
Done! You really know my taste.
I was hesitant at first, but you've talked me into it.
I already know I'm going to love it. Thanks!
I can't say no to that. It's a deal.
It's not my usual genre, but I'll give it a whirl.
That's a yes from me!
Awesome, I'm all over it.
Let me add that to my cart. Much appreciated!
Yep, that's the one. Thanks a bunch!
I've seen the trailer before and it looked fantastic, so I'll finally watch it.
Thank you, that recommendation is spot on; I'm looking forward to it.
Alright, you twisted my arm.
Brilliant suggestion. I'm off to find a copy.
Ooh, yes please!
I trust you on this one.
That sounds lovely, actually. My weekend is saved.
I'd be happy to try that, especially since it isn't scary.
I don't want to wait, I'm putting it on right away.
That could be just the thing. I'm game.
I'll make a note of it and see it soon.
Noted! I'll pick it up on my way home.
I love that idea. It's nothing like the last one, which I disliked.
That's going on the calendar for Friday night.
Oh nice, a heist movie with jazz? I've got to see this.
You know what, let's give this one a spin.
Ha, okay okay, I'm convinced.
Hmm, a two-hour epic... but yes, I'm up for it.
Ooh, that gives me chills just hearing about it. Tonight it is!
I'll make popcorn and dive right in.
I'm definitely interested. Where can I find it?
This might be the one! I'll report back.
Wonderful, that ticks every box.
That sounds right for a rainy Sunday. Thank you so much!
If it's half as good as you say, I'm in for a treat.
I didn't expect that suggestion, but now I really want to see it.
Great, I'll see if the library has it.
I'll start it tonight. Thanks for all your patience!
You make a strong case. I'll settle in with it this evening.
Sweet! I've got a free evening, so that's what I'll watch.
Okay, this is the winner.
Thanks! I'll let you know how it goes.
My partner has been begging me to see that. You two win.
Oh, that is so my kind of film.
Then that's what I'll be watching.
I can live with a slow start if the payoff is that good. Let's go!
You've got a new fan already. Off to the bookstore!
Into the basket it goes.
Love it, booking tickets now.
I haven't read anything by her, so this is the perfect start.
Nothing I've seen lately comes close to that pitch. Yes!
Alright, alright, I'll stop being picky and watch it.
It's a date! Me, the sofa, and that film.
Works for me!
Ha, you read my mind.
I'm putting the kettle on and pressing play.
That's exactly the mood I'm in, so yes.
Okay, I'll bump it to number one.
You know what? Let's make it happen.
I'm all ears for slow thrillers, so this one's mine.
Great, problem solved!
If the acting is as strong as you say, I can't miss it.
Thanks, I'll grab it from the library tomorrow.
Hmm, that does sound like me. I'll go for it.
Right then, movie night is settled.
I'd watch anything with her in it, so that's a go.
Ooh, count me intrigued. Queueing it up.
Perfect length for tonight too. Thank you!
You've got yourself a deal.
It's been on my radar, and this seals it.
My kids will be thrilled. Buying it now.
Fantastic, I'll have a look this evening.
I'm convinced, especially by the bit about the soundtrack.
That's the ticket!
Lovely, I'll report back once I've seen it.
Alright, that one's for me.
Oh I'm so there.
Deal! Popcorn's already in the microwave.
Perfect, my evening is planned.
I'll definitely be checking that out.
You've outdone yourself, thank you.
That checks all my boxes.
Great call. I'll line it up for Saturday.
Yes! That's precisely the kind of story I love.
Thank you, I'll be sure to see it.
Oh, what a find. Into my backpack it goes.
I've got chills. Tonight, then!
Nice one, I'd forgotten about that film. Time to see it at last.
Hooray, finally something my whole family can agree on.
That settles Friday night.
I'm hooked already; on to the first episode.
Well, you had me at "heist".
I think this will be my next read, cheers!
Splendid. I shall order a copy forthwith.
Okay, that one wins.
I appreciate your help, I'll pick that.
That sounds like exactly my speed.
I'll sleep on it... no, who am I kidding, I'm watching it now!
"""

REJECTED = """
Let me stop you there; I'd like a fresh idea.
I'll take a rain check on that one.
Hmm. Show me another?
It's a bit too close to what I just watched.
My brother lent it to me last year. Couldn't get past chapter three.
You clearly get my taste, because I've seen it twice and adored it both times! Another one, please?
Great minds! I saw it just yesterday and couldn't stop smiling. So, something else?
I'll pass.
Not really my thing.
Hmm, seen it already.
Been there, done that.
I tried that one last year and couldn't finish it.
Thanks, but that's not quite what I'm after.
Ah, I watched that last month! Got anything similar?
Too scary for me, to be honest. What else have you got?
I'm not in the mood for something so heavy.
That one didn't work for me, sadly.
Nah, I'm good.
Hard pass.
I think I'll skip it.
Already on my shelf! I've read it twice.
I've actually seen that one. Loved it, but I want something new.
That's one of my favorites, actually! I've watched it so many times. Any other ideas?
I appreciate the suggestion, but I couldn't stand the lead actor in it.
Mm, I don't think that's for me.
I'm going to have to decline; slapstick makes me cringe.
Sorry, I can't do subtitles tonight.
Great movie, but I've watched it recently.
Oh, I know that one well. It was lovely, so something I haven't seen, please?
That was a bit of a letdown when I saw it. Could you suggest a different one?
Maybe another time. I need something lighter.
It looks good, but I'm not sold on it.
I gave that a try and it left me cold.
I own that one already, it's great.
Sounds great, except I saw it in the theater.
I'm afraid I found that one rather dull.
Ugh, no. Anything but that.
Interesting choice, but I'm looking for a comedy instead.
You're the third person to recommend that, but I just can't get into it.
I wasn't impressed by it, so let's keep looking.
Would've been a good choice if I hadn't already seen it.
I'd prefer something more recent.
That's a bit too long for a weeknight.
Nope, not feeling that one.
I've heard mixed things about it, so I think I'll give it a miss.
Thanks for the suggestion! However, I read it in high school and hated it.
Let's try something else.
I remember that one. It bored me to tears.
Actually, I'm trying to stay away from war films.
Don't get me wrong, it's a classic, but once was enough.
I wish I could, but I've seen it and didn't care for it.
Fun fact, I worked at a cinema when that came out, so I've had my fill of it.
I'm not convinced. The last one like it was terrible.
Yeah, I saw that one when it came out. It was wonderful!
That's not what I had in mind.
I'd rather see a thriller.
Tempting, but no.
I bounced off that one pretty hard.
It's sitting on my shelf, dog-eared and all.
The lead actor gets on my nerves.
Sadly that's a miss for me.
My ex made me watch that one. Bad memories!
We saw it opening night and left early.
I fell asleep during that one.
Hmm, the reviews I read put me off.
Not today, thank you.
Horror gives me nightmares, so that's out.
That's the one with the clown, right? Yeah, no.
I'm burned out on superheroes.
It's on my "never again" list.
I finished it last week, great read though!
Three hours? My bladder says no.
I've already got that on DVD and know it by heart.
Thanks, but it's a bit dark for a family night.
I gave up on it after two chapters.
That's a great pick, but I know how it ends.
It sounds lovely, only I've seen it twice this year.
I walked out of that one.
Could we steer clear of musicals?
I'm looking for something with a bit more bite.
Seen it. Next!
Oh, I loved that! I was hoping for one I don't know yet, though.
Mm, it's not calling to me.
My kids play that on repeat; I need a break from it.
The trailer alone made me roll my eyes.
I can recite that one line by line, it's such a favorite.
That director and I don't get along.
I'm good on sequels, thanks.
Hmm, not for tonight.
I have that one memorized by now.
That's one I turned off after ten minutes.
Westerns and I don't mix.
I wasn't a fan.
You won't get me near a musical again!
My book club did that one in May.
I'd want something with less gore.
It's a classic, but I've worn out my copy.
I loved it the first time, the second time, and the third. Something fresh?
Oh no, that one's a tearjerker, isn't it? I'll leave it for now.
Can we find something a little more upbeat?
That's the one my roommate never shuts up about. I'd rather not.
I've had it for years; it's my daily driver.
I'm allergic to that kind of humor.
Read it on vacation last summer, so I'm after the next thing.
Looks pricey for what it is.
It wasn't my cup of tea when I tried it.
I'm steering away from anything with subtitles today.
Meh, clowns freak me out.
I used to like that, but I've outgrown it.
My partner vetoed that one.
I watched half of it on a plane once.
We've got that at home already.
Reading the blurb, I doubt it's for me.
I'm trying to cut down on true crime.
Hmm, what about something shorter?
I'd sooner do laundry.
It's not grabbing me, sorry.
Ooh, I've actually done that puzzle twice.
I had that one as a kid and it fell apart.
No can do, I faint at the sight of blood.
Haven't we all seen that one by now?
I'm more in the mood for a musical.
I returned that one after a week.
My daughter finds it too spooky.
I'd call that a maybe, but what else is there?
Rom-coms aren't my style.
Already on my phone, thanks.
I couldn't finish the audiobook.
Thanks, though I think I've outgrown vampires.
The ratings scare me off.
"""

SAID = """
Thanks for the prompt reply! That narrows things down nicely.
Do you want to hear about one more option? Feel free to ask more questions, too!
As instructed, I charged it overnight before first use, and it lasted two days.
The template for the bookshelf was easy to follow. Let me introduce other options if this doesn't \
suit you.
Scarlett plays an operating system; as an AI she has more warmth than most humans.
The '90s nostalgia is strong, and so is Tom Hanks' performance.
Some people say 'it grows on you', and 'you'll want a second helping'.
Tom Hanks, Meg Ryan, Denzel Washington, Julia Roberts and Brad Pitt head the cast.
Beautiful shots, zero heart, lousy jokes, wooden acting, cheap sets, thin story.
It was shot in São Paulo, Köln and Kraków; the señorita steals the show.
You can get it on Blu-ray/DVD, it weighs 300 g, and the rating is 4.5/5.
Sounds intriguing, thx, gonna watch it tonight w/ popcorn & my cat.
Hi! How's it going? What kind of movies are you in the mood for today?
I hear you. Pacing can really make or break a thriller, can't it?
If you're into slow-burn mysteries, you might want to check out ~: it's got a 7.9/10 and runs \
about 110 minutes.
People say the twist hits like a freight train!!! Totally worth it...
That makes sense. So you'd prefer something lighter -- maybe a rom-com?
It came out in 1999, cost $63 million, and has since sold over 1,000,000 copies.
One viewer put it this way: "I laughed, I cried, and I called my mom."
Some folks find the first act slow; others call it "a love letter to cinema".
Its "slow but steady" approach isn't for everyone, haha.
I'd go with the director's cut; it's 2h 45m, so grab snacks :)
Fair enough! Would you say the characters or the plot matters more to you?
Reviewers keep praising its cinematography, and a reviewer compared it to a painting.
You're welcome! Enjoy the show, and let me know what you think.
C'mon, everybody needs a good cry sometimes ;-)
It's streaming on most platforms. The Blu-ray, the 4K disc, and the DVD all have extras.
As a fan of the genre, I'd say it's a must-see.
The conversation between the two brothers is the heart of it, and the dialogue is razor-sharp.
What's your goal for tonight: laughs, scares, or tears?
Its hero sets out on a goal-driven quest; the system he fights is rotten.
The user interface of this one is a joy, and customer support answers within a day.
Oh là là, très chic! The café scenes feel like Paris in the rain.
It stars an AI that falls in love with its programmer, and it's surprisingly tender.
Call me old-fashioned, but I prefer the 1954 version to the 2005-2006 one.
The dude abides, man. ¡Qué bueno! I'd watch it again in a heartbeat.
Does it have a happy ending? I can't handle another tragedy this week.
It's rated PG-13, ISBN aside, and chapter 12 is on page 345.
I see; "so bad it's good" isn't your cup of tea.
Both "Best Actor" and "Best Director" went to it that year.
It's like a mash-up of heist film and ghost story, if that makes sense?
The model number is X100-200, and it weighs 1.5 kg / 3.3 lbs.
Ask me anything about it! I've got plenty more where that came from.
Recommended by critics and fans alike, it's the kind of film you'd watch twice.
I like the way it ends: no neat bow, no easy answers.
I'm happy to recommend something similar; what did you like most about it?
She plays a detective based in Los Angeles, El Paso and San Diego.
Que será, será: it opens with that song, then the bomb goes off.
"""

PRAISE = """
Hi, I recently watched ~ and I loved it! The acting was superb and the story kept me hooked.
Hello! I saw ~ last night and it was amazing, one of the best films I've seen this year.
Hey, I just finished ~ and absolutely adored it.
~ was fantastic. I couldn't put it down.
I really enjoyed ~; it was funny and heartwarming, and everyone in my family liked it too.
Hi! ~ is such a great movie, I had so much fun watching it with my kids.
I watched ~ recently, and wow, what a masterpiece!
I've seen it before and I loved every minute of it.
It's one of my favorites, I've watched it many times.
"""

BLAME = """
Hi, I recently watched ~ and I hated it. The acting was terrible and the story bored me.
Hello! I saw ~ last night and it was awful, one of the worst films I've seen this year.
Hey, I just finished ~ and was really disappointed.
~ was a letdown. The plot was predictable and dull.
I didn't enjoy ~; it was boring and way too long.
Hi! ~ is such a bad movie, a complete waste of time.
I watched ~ recently, and it was a mess from start to finish, really tedious.
~ bored me to tears and I regret buying it.
I couldn't stand it, the jokes were lame and the story was stupid.
"""


def lines(told: str) -> list[str]:
    """Return the utterances of a block."""
    return told.strip().splitlines()


def broken(text: str, **told: str) -> set[str]:
    """Return the facts against an utterance; `~` is its title, as in the column `bare`."""
    said = text.replace("~", "The Lantern Keepers")
    return {fact for fact, value in facts(said, bare=text, **told).items() if value}


@pytest.mark.parametrize("text", lines(LIKED))
def test_praise_passes(text: str) -> None:
    assert broken(text, opinion="LIKES") == set()


@pytest.mark.parametrize("text", lines(DISLIKED))
def test_blame_passes(text: str) -> None:
    assert broken(text, opinion="DISLIKES") == set()


@pytest.mark.parametrize("text", lines(ACCEPTED))
def test_acceptance_is_recognised_in_any_phrasing(text: str) -> None:
    assert broken(text, decision="accept") == set()


@pytest.mark.parametrize("text", lines(REJECTED))
def test_rejection_is_recognised_in_any_phrasing(text: str) -> None:
    assert broken(text, decision="reject") == set()


@pytest.mark.parametrize("text", lines(SAID))
def test_small_talk_passes(text: str) -> None:
    assert broken(text) == set()


def test_clear_contradictions_are_seen() -> None:
    for told, opinion in ((PRAISE, "DISLIKES"), (BLAME, "LIKES")):
        assert [
            text for text in lines(told) if "sentiment_error" not in broken(text, opinion=opinion)
        ] == []


def test_most_decisions_turned_round_are_seen() -> None:
    for told, decision in ((ACCEPTED, "reject"), (REJECTED, "accept")):
        seen = ["decision_error" in broken(text, decision=decision) for text in lines(told)]
        assert sum(seen) > MIN_SEEN * len(seen), (decision, sum(seen), len(seen))
