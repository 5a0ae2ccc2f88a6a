# nomad job run app.nomad.hcl: the app starts when gate has ended with 0.
job "app" {
  group "app" {
    # Above GATE_TIMEOUT: Nomad counts the wait as part of the start.
    update {
      healthy_deadline  = "15m"
      progress_deadline = "20m"
    }

    task "gate" {
      lifecycle {
        hook    = "prestart"
        sidecar = false
      }

      driver = "docker"
      user   = "65532"

      config {
        image           = "registry.example.com/gate:0.1.0"
        args            = ["wait"]
        readonly_rootfs = true
      }

      env {
        GATE_TIMEOUT      = "10m"
        GATE_DEPENDENCIES = "db tcp://db.example.com:5432"
      }

      # A wait that was not in time is begun anew.
      restart {
        mode     = "delay"
        attempts = 2
        interval = "30m"
        delay    = "15s"
      }

      resources {
        cpu    = 50
        memory = 96
      }
    }

    task "app" {
      driver = "docker"

      config {
        image = "registry.example.com/app:1.0.0"
      }
    }
  }
}
