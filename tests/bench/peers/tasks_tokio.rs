//! Tasks and timers of tokio, in the runtime of one thread. The jobs are those of cost.h.
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::time::{sleep, Sleep};

const SWITCHES: usize = 4_000_000;
const SPAWNS: usize = 2_000_000;
const ITEMS: usize = 2_000_000;

fn cpu() -> f64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut t) }, 0);
    t.tv_sec as f64 + t.tv_nsec as f64 / 1e9
}

fn resident() -> f64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: f64 = text.split_whitespace().nth(1).unwrap().parse().unwrap();
    pages * unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as f64
}

struct Random(u32);
impl Random {
    fn between(&mut self, from: f64, spread: f64) -> Duration {
        self.0 = self.0.wrapping_mul(1664525).wrapping_add(1013904223);
        Duration::from_secs_f64(from + spread * f64::from(self.0) / 4294967296.0)
    }
}

async fn switch() {
    async fn yields(n: usize) {
        for _ in 0..n {
            tokio::task::yield_now().await;
        }
    }
    let start = cpu();
    let (a, b) = (tokio::spawn(yields(SWITCHES / 2)), tokio::spawn(yields(SWITCHES / 2)));
    a.await.unwrap();
    b.await.unwrap();
    println!("ns {:.3}", (cpu() - start) * 1e9 / SWITCHES as f64);
}

async fn spawn() {
    let start = cpu();
    let mut tasks = Vec::with_capacity(100);
    for _ in 0..SPAWNS / 100 {
        for _ in 0..100 {
            tasks.push(tokio::spawn(async {}));
        }
        for task in tasks.drain(..) {
            task.await.unwrap();
        }
    }
    println!("ns {:.3}", (cpu() - start) * 1e9 / SPAWNS as f64);
}

async fn queue(capacity: usize) {
    let (puts, mut gets) = tokio::sync::mpsc::channel::<usize>(capacity);
    let start = cpu();
    let putter = tokio::spawn(async move {
        for i in 1..=ITEMS {
            puts.send(i).await.unwrap();
        }
    });
    let getter = tokio::spawn(async move {
        let mut sum = 0;
        while let Some(item) = gets.recv().await {
            sum += item;
        }
        sum
    });
    putter.await.unwrap();
    let sum = getter.await.unwrap();
    println!("ns {:.3}", (cpu() - start) * 1e9 / ITEMS as f64);
    assert_eq!(sum, ITEMS * (ITEMS + 1) / 2);
}

async fn sleepers(n: usize, from: f64, spread: f64) {
    let mut random = Random(1);
    let (before, start, used) = (resident(), Instant::now(), cpu());
    let tasks: Vec<_> = (0..n).map(|_| tokio::spawn(sleep(random.between(from, spread)))).collect();
    tokio::spawn(async {}).await.unwrap(); // behind the others: all have gone to sleep
    let bytes = (resident() - before) / n as f64;
    for task in tasks {
        task.await.unwrap();
    }
    println!("cpu_s {:.4}", cpu() - used);
    println!("wall_s {:.4}", start.elapsed().as_secs_f64());
    println!("bytes {:.1}", bytes);
}

/// Polls each timer once.
struct Insert<'a>(&'a mut [Option<Pin<Box<Sleep>>>]);
impl Future for Insert<'_> {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        for s in self.0.iter_mut().flatten() {
            assert!(s.as_mut().poll(context).is_pending());
        }
        Poll::Ready(())
    }
}

/// A timer is inserted when its future is polled first, and cancelled when that is dropped. Unconstrained, since a task is
/// otherwise made to yield after 128 polls.
async fn timers(n: usize, from: f64, spread: f64) {
    let mut random = Random(1);
    let due = Instant::now() + Duration::from_secs_f64(from + spread + 0.01);
    let start = cpu();
    let mut sleeps: Vec<_> = (0..n).map(|_| Some(Box::pin(sleep(random.between(from, spread))))).collect();
    Insert(&mut sleeps).await;
    let inserted = cpu();
    for s in sleeps.iter_mut().step_by(2) {
        *s = None;
    }
    let cancelled = cpu();
    std::thread::sleep(due.saturating_duration_since(Instant::now())); // the rest is all due when the runtime looks again
    for s in sleeps.iter_mut().flatten() {
        s.await;
    }
    let end = cpu();
    println!("insert_ns {:.2}", (inserted - start) * 1e9 / n as f64);
    println!("cancel_ns {:.2}", (cancelled - inserted) * 1e9 / (n - n / 2) as f64);
    println!("fire_ns {:.2}", (end - cancelled) * 1e9 / (n / 2) as f64);
    println!("all_ns {:.2}", (end - start) * 1e9 / n as f64);
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |i: usize| arguments.get(i).map_or(0.0, |a| a.parse::<f64>().unwrap());
    let (n, from, spread) = (number(2) as usize, number(3) / 1e3, number(4) / 1e3);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        match arguments[1].as_str() {
            "switch" => switch().await,
            "spawn" => spawn().await,
            "queue" => queue(n).await,
            "sleepers" => sleepers(n, from, spread).await,
            "timers" => tokio::task::unconstrained(timers(n, from, spread)).await,
            _ => (),
        }
    });
}
